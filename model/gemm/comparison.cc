#include "model/gemm/comparison.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "model/gemm/bf16.h"
#include "model/runtime/workspace.h"

namespace deberta::model {
namespace {

using Clock = std::chrono::steady_clock;

// Rows of a lone short text, of a few and of a batch; and how many panels they
// meet, in turn: together these are more than the nearest cache holds.
struct Load {
  size_t rows = 0;
  size_t panels = 0;
};
constexpr Load kLoads[] = {{16, 4}, {64, 4}, {Gemm::kTileRows, 2}};
constexpr size_t kPanels = 4;
// The fastest counts: what else the machine does only adds.
constexpr int kRounds = 3;

// Numbers from -1 to 1 that use all bits of a float: the multiples of the
// golden ratio.
float Scattered(size_t i) {
  const uint32_t bits = static_cast<uint32_t>(i) * 2654435769u;
  return static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f;
}

// Rows of such numbers and a weight of them, packed for one backend.
class Trial {
 public:
  explicit Trial(const Gemm& gemm) : gemm_(gemm) {
    const GemmShape& shape = gemm.shape();
    const size_t inputs = Gemm::kTileRows * shape.in;
    const size_t weights = shape.in * shape.width;
    std::vector<float> plain(std::max(inputs, weights));
    for (size_t i = 0; i < plain.size(); ++i) plain[i] = Scattered(i);
    bias_.assign(shape.width, 0.5f);
    std::vector<int8_t> bytes(plain.size());
    // Of seven bits: see kPairableWeight.
    std::ranges::transform(plain, bytes.begin(), [](float value) {
      return static_cast<int8_t>(value * 63);
    });
    const bool int8 = shape.precision == Precision::kInt8;
    for (size_t panel = 0; panel < kPanels; ++panel) {
      gemm.Pack(int8 ? static_cast<const void*>(bytes.data()) : plain.data(),
                packed_.Reserve(kPanels * gemm.packed_floats()) +
                    panel * gemm.packed_floats());
    }
    switch (shape.precision) {
      case Precision::kFp32:
        std::copy_n(plain.data(), inputs, x_.Reserve(inputs));
        break;
      case Precision::kBf16:
        ToBf16(std::span(plain).first(inputs), x_.ReserveAs<Bf16>(inputs));
        break;
      case Precision::kInt8:
        std::memcpy(x_.ReserveAs<uint8_t>(inputs), bytes.data(), inputs);
        break;
    }
    row_bytes_ = shape.in * (int8 ? 1 : ElementBytes(shape.precision));
  }

  // Multiplies rows [first, first + rows) with one panel.
  void Run(size_t first, size_t rows, size_t panel, Gemm::Consumer consume) {
    gemm_.Run({.x = x_.As<std::byte>() + first * row_bytes_,
               .rows = rows,
               .packed = packed_.get() + panel * gemm_.packed_floats(),
               .bias = bias_.data()},
              scratch_, consume);
  }

  Clock::duration Time(const Load& load) {
    const Clock::time_point start = Clock::now();
    for (size_t panel = 0; panel < load.panels; ++panel) {
      Run(0, load.rows, panel, [](const Gemm::Block&) {});
    }
    return Clock::now() - start;
  }

  // Sums of float [rows, width].
  std::vector<float> Sums(size_t first, size_t rows) {
    const size_t width = gemm_.shape().width;
    std::vector<float> sums(rows * width);
    Run(first, rows, 0, [&](const Gemm::Block& block) {
      const auto* from = static_cast<const float*>(block.sums);
      for (size_t r = 0; r < rows; ++r) {
        std::copy_n(from + r * block.stride, block.columns,
                    sums.data() + r * width + block.column);
      }
    });
    return sums;
  }

 private:
  static size_t ElementBytes(Precision precision) {
    return precision == Precision::kBf16 ? sizeof(Bf16) : sizeof(float);
  }

  const Gemm& gemm_;
  FloatBuffer x_;
  FloatBuffer packed_;
  std::vector<float> bias_;
  size_t row_bytes_ = 0;
  ThreadScratch scratch_;
};

}  // namespace

bool IsAtLeastAsFast(const Gemm& other, const Gemm& own) {
  Trial other_trial(other);
  Trial own_trial(own);
  for (const Load& load : kLoads) {
    Clock::duration other_time = Clock::duration::max();
    Clock::duration own_time = Clock::duration::max();
    for (int round = 0; round < kRounds; ++round) {
      own_time = std::min(own_time, own_trial.Time(load));
      other_time = std::min(other_time, other_trial.Time(load));
    }
    if (other_time > own_time) return false;
  }
  return true;
}

bool RowsAreIndependent(const Gemm& gemm) {
  if (gemm.shape().precision == Precision::kInt8) return true;  // exact sums
  Trial trial(gemm);
  const size_t width = gemm.shape().width;
  const std::vector<float> all = trial.Sums(0, Gemm::kTileRows);
  for (size_t rows = 8; rows < Gemm::kTileRows; rows += rows < 64 ? 8 : 16) {
    const size_t first = Gemm::kTileRows - rows;
    const std::vector<float> some = trial.Sums(first, rows);
    if (std::memcmp(some.data(), all.data() + first * width,
                    some.size() * sizeof(float)) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace deberta::model
