// Products of rows with a packed panel of a weight, by one of three backends:
// vector registers (fp32), tile registers (AMX: bf16 and int8), both our own,
// or oneDNN (all). See products.h for which is used.
//
// Sums are of floats, or of bytes (u8 by s8) in int8; see int8.h. Unless
// Products::kOneDnn is asked for, a row's sums are always added up in the same
// order, whatever stands beside it.

#ifndef MODEL_GEMM_GEMM_H_
#define MODEL_GEMM_GEMM_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "model/gemm/precision.h"
#include "model/gemm/products.h"
#include "model/runtime/workspace.h"

namespace deberta::model {

// What one product multiplies: x [rows, in] by a panel of `width` columns.
struct GemmShape {
  size_t in = 0;
  size_t width = 0;
  Precision precision = Precision::kFp32;

  auto operator<=>(const GemmShape&) const = default;
};

class Gemm {
 public:
  // Most rows of one product, and what numbers of rows are rounded up to where
  // x is read.
  static constexpr size_t kTileRows = 256;
  static constexpr size_t kRowStep = 16;
  // Columns of a packed panel are a multiple of the widest vector.
  static constexpr size_t kColumnStep = 16;

  // Some columns of a product, ready to be read.
  struct Block {
    size_t column = 0;
    size_t columns = 0;
    // [rows, columns], rows `stride` apart: float, or int32_t in int8.
    const void* sums = nullptr;
    size_t stride = 0;
  };
  using Consumer = absl::FunctionRef<void(const Block&)>;

  virtual ~Gemm() = default;

  const GemmShape& shape() const { return shape_; }

  virtual size_t packed_floats() const = 0;
  // `row_major` [width, in] of int8_t in int8, else of float -> `packed`, the
  // floats being rounded to the precision.
  virtual void Pack(const void* row_major, float* packed) const = 0;

  struct Operands {
    // [rows rounded up to kRowStep, in] of float, Bf16 or uint8_t, as the
    // precision has it.
    const void* x = nullptr;
    size_t rows = 0;  // 1 to kTileRows
    const float* packed = nullptr;
    const float* bias = nullptr;  // [width], added in fp32 only
    // fp32: if not null, sums go to y [rows, width], rows y_stride apart, and
    // none are handed out.
    float* y = nullptr;
    size_t y_stride = 0;
  };
  // Multiplies, and hands out every column once.
  virtual void Run(const Operands& operands, ThreadScratch& scratch,
                   Consumer consume) const = 0;

 protected:
  explicit Gemm(const GemmShape& shape) : shape_(shape) {}

 private:
  const GemmShape shape_;
};

// The products of one model, shared by its layers. Not thread-safe.
class GemmTable {
 public:
  explicit GemmTable(Products products) : products_(products) {}

  // Internal if oneDNN is to be used and has no primitive for the shape.
  absl::StatusOr<std::shared_ptr<const Gemm>> Get(const GemmShape& shape);

  // Whose products the shapes so far have, by precision: "fp32 own, int8
  // onednn".
  std::string Description() const;

 private:
  struct Choice {
    std::shared_ptr<const Gemm> gemm;
    Products maker = Products::kOwn;  // or kOneDnn
  };
  absl::StatusOr<Choice> Choose(const GemmShape& shape) const;

  Products products_;
  std::map<GemmShape, Choice> choices_;
};

}  // namespace deberta::model

#endif  // MODEL_GEMM_GEMM_H_
