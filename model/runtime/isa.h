// The widest vector instructions to use, for tests of the narrower paths.

#ifndef MODEL_RUNTIME_ISA_H_
#define MODEL_RUNTIME_ISA_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace deberta::model {

enum class Isa { kBaseline, kAvx2, kAvx512, kAmx };

// "baseline", "avx2", "avx512" or "amx".
absl::StatusOr<Isa> ParseIsa(std::string_view name);
std::string_view IsaName(Isa isa);

// Uses nothing wider than `isa`; the processor may still offer less. To be
// called before anything else of this library: FailedPrecondition after
// FixMaxIsa().
absl::Status SetMaxIsa(Isa isa);
// What was set, or kAmx. Called by what is made for one instruction set and
// stays, as a model's packed weights.
Isa FixMaxIsa();

// The widest that the processor offers and SetMaxIsa does not exclude: what
// models compute with.
Isa WidestIsa();

// Whether products of bfloat16 pairs (AVX512_BF16) are there and not excluded
// by SetMaxIsa.
bool HasBf16Products();
// The same of tiles of bfloat16 and of bytes (AMX), which the system must have
// granted.
bool HasTileProducts();
// The same of sums of four products of bytes (AVX512_VNNI). Without them int8
// works too, with less of a byte and slower.
bool HasInt8Products();

}  // namespace deberta::model

#endif  // MODEL_RUNTIME_ISA_H_
