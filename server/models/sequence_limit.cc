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
  const auto positions = static_cast<uint64_t>(config.max_position_embeddings);
  if (config.position_biased_input) {
    return {positions,
            "the model adds absolute positions to its input "
            "(position_biased_input), and has learned no more "
            "(max_position_embeddings)"};
  }
  if (model.fill_mask_decoder() == model::FillMaskDecoder::kEnhanced) {
    return {positions,
            "its Enhanced Mask Decoder has no more absolute positions "
            "(max_position_embeddings; \"fill_mask\": \"plain\" in "
            "deberta.json does without)"};
  }
  return {model.longest_sequence(),
          "its position_buckets are so few that their table ends there"};
}

// Most tokens of a sequence of words and labels: the reference counts words,
// and reads beyond max_position_embeddings.
constexpr uint64_t kMostWordTokens = 8192;

}  // namespace

std::optional<size_t> WantedMaxTokens(const ModelSettings& settings,
                                      const LoadOptions& options) {
  return settings.max_tokens.has_value() ? settings.max_tokens
                                         : options.max_tokens;
}

absl::Status CheckMaxTokens(const ModelSettings& settings,
                            const LoadOptions& options,
                            const model::Model& model) {
  const std::optional<size_t> wanted = WantedMaxTokens(settings, options);
  if (!wanted.has_value()) return absl::OkStatus();
  const bool of_file = settings.max_tokens.has_value();
  const std::string where =
      of_file ? "deberta.json: max_tokens" : std::string("--max_tokens");
  const auto refuse = [&](absl::string_view expected, uint64_t bound,
                          absl::string_view why) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": expected ", expected, " ", bound, ", got ", *wanted, ": ",
        why,
        of_file ? ""
                : "; \"max_tokens\" in a model's deberta.json goes before the "
                  "flag"));
  };
  if (*wanted < kLeastMaxTokens) {
    return refuse("at least", kLeastMaxTokens,
                  "texts have special tokens beside their own");
  }
  const Longest longest = LongestOf(model);
  if (*wanted > longest.tokens)
    return refuse("at most", longest.tokens, longest.reason);
  if (*wanted > options.max_queue_tokens) {
    return refuse("at most", options.max_queue_tokens,
                  "no longer sequence can be queued (--max_queue_tokens)");
  }
  const size_t bytes = kWorkspaceBytes * *wanted *
                       static_cast<size_t>(model.config().hidden_size) *
                       options.batches;
  const size_t held = AnonymousBytes();
  if (CheckRoom(bytes, held, options.memory_bytes).ok())
    return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      where, ": computing ", options.batches, " sequences of ", *wanted,
      " tokens at once takes about ", bytes, " bytes; the server holds ", held,
      " of the cgroup's limit of ", *options.memory_bytes));
}

size_t MaxTokens(std::optional<size_t> wanted,
                 const tokenizer::Tokenizer& tokenizer,
                 const model::Model& model) {
  if (wanted.has_value()) return *wanted;
  const model::LabelHead* head = model.label_head();
  // The package says how many tokens it reads, whatever its tokenizer does.
  if (head != nullptr && head->max_tokens > 0)
    return std::min(uint64_t{head->max_tokens}, model.longest_sequence());
  const uint64_t limit = std::min(
      head != nullptr
          ? kMostWordTokens
          : static_cast<uint64_t>(model.config().max_position_embeddings),
      model.longest_sequence());
  // GLiNER2 asks its tokenizer for the tokens of single words alone.
  if (head != nullptr && head->kind == model::LabelHeadKind::kGroups)
    return limit;
  const std::optional<int64_t> own = tokenizer.model_max_length();
  return own.has_value() ? std::min(static_cast<uint64_t>(*own), limit) : limit;
}

}  // namespace deberta::server
