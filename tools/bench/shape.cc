#include "tools/bench/shape.h"

#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace deberta::tools {
namespace {

constexpr size_t kMaxTokens = size_t{1} << 20;

absl::Status BadShape(absl::string_view shape, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "--shapes: '", shape, "': ", why,
      "; expected BATCHxLENGTH (8x128) or lengths:N+N+... (lengths:12+80+7)"));
}

// A count in [1, kMaxTokens].
bool ParseCount(absl::string_view text, size_t* count) {
  uint32_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return false;
  *count = value;
  return value >= 1 && value <= kMaxTokens;
}

absl::StatusOr<Shape> ParseShape(absl::string_view text) {
  constexpr absl::string_view kLengths = "lengths:";
  Shape shape;
  if (text.substr(0, kLengths.size()) == kLengths) {
    for (absl::string_view part :
         absl::StrSplit(text.substr(kLengths.size()), '+')) {
      if (!ParseCount(part, &shape.emplace_back())) {
        return BadShape(text, absl::StrCat("'", part, "' is no length"));
      }
    }
  } else {
    const std::vector<absl::string_view> parts = absl::StrSplit(text, 'x');
    size_t batch = 0;
    size_t length = 0;
    if (parts.size() != 2 || !ParseCount(parts[0], &batch) ||
        !ParseCount(parts[1], &length)) {
      return BadShape(text, "not a shape");
    }
    shape.assign(batch, length);
  }
  if (Tokens(shape) > kMaxTokens) {
    return BadShape(text, absl::StrCat("more than ", kMaxTokens, " tokens"));
  }
  return shape;
}

// Sebastiano Vigna's splitmix64: good enough to spread ids, and a few lines in
// any language.
class SplitMix64 {
 public:
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_ = 0;
};

void AddRows(model::Head head, uint32_t begin, uint32_t end,
             model::RaggedBatch* batch) {
  switch (head) {
    case model::Head::kNone:
      batch->hidden_rows.push_back(begin);
      return;
    case model::Head::kSequenceClassification:
    case model::Head::kMultipleChoice:
      batch->logit_rows.push_back(begin);
      return;
    case model::Head::kMaskedLanguageModel:
      batch->logit_rows.push_back(begin + (end - begin) / 2);
      return;
    case model::Head::kTokenClassification:
    case model::Head::kQuestionAnswering:
    case model::Head::kReplacedTokenDetection:
      for (uint32_t row = begin; row < end; ++row) {
        batch->logit_rows.push_back(row);
      }
      return;
  }
}

}  // namespace

absl::StatusOr<std::vector<Shape>> ParseShapes(std::string_view text) {
  std::vector<Shape> shapes;
  for (absl::string_view part :
       absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    absl::StatusOr<Shape> shape = ParseShape(part);
    if (!shape.ok()) return shape.status();
    shapes.push_back(*std::move(shape));
  }
  return shapes;
}

size_t Tokens(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), size_t{0});
}

model::RaggedBatch MakeBatch(const Shape& shape, const model::Model& model) {
  SplitMix64 random;
  const auto vocab_size = static_cast<uint64_t>(model.config().vocab_size);
  model::RaggedBatch batch;
  for (const size_t length : shape) {
    const auto begin = static_cast<uint32_t>(batch.ids.size());
    for (size_t i = 0; i < length; ++i) {
      batch.ids.push_back(static_cast<int32_t>(random.Next() % vocab_size));
    }
    const auto end = static_cast<uint32_t>(batch.ids.size());
    batch.starts.push_back(end);
    AddRows(model.head(), begin, end, &batch);
  }
  batch.type_ids.assign(batch.ids.size(), 0);
  return batch;
}

}  // namespace deberta::tools
