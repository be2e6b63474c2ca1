#include "server/models/sequence_limit.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/base/resident_memory.h"
#include "server/models/memory_room.h"

namespace deberta::server {
namespace {

// Of the workspace of one batch, for each token and hidden unit, about.
constexpr size_t kWorkspaceBytes = 40;

// The longest sequence that can be computed, and why none is longer.
struct Longest {
  uint64_t tokens = std::numeric_limits<uint64_t>::max();
  std::string reason = {};
};

Longest LongestOf(const model::Model& model) {
  const model::Config& config = model.config();
  const uint64_t limit = std::min(
      model.label_head() != nullptr
          ? kMostWordTokens
          : static_cast<uint64_t>(model.config().max_position_embeddings),
      model.longest_sequence());
  const std::optional<int64_t> own = tokenizer.model_max_length();
  return own.has_value() ? std::min(static_cast<uint64_t>(*own), limit) : limit;
}

}  // namespace deberta::server
