#include "server/tasks/hypothesis_template.h"

#include <utility>

#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

absl::Status Wrong(std::string_view description) {
  return InputError("hypothesis_template", description);
}

}  // namespace

absl::StatusOr<HypothesisTemplate> HypothesisTemplate::Parse(
    std::string_view text) {
  HypothesisTemplate parsed;
  bool automatic = false;
  bool numbered = false;
  while (!text.empty()) {
    const size_t brace = text.find_first_of("{}");
    std::string& literal = parsed.literals_.back();
    literal.append(text.substr(0, brace));
    if (brace == std::string_view::npos) break;
    text.remove_prefix(brace);
    if (text.starts_with("{{") || text.starts_with("}}")) {
      literal.push_back(text[0]);
      text.remove_prefix(2);
    } else if (text.starts_with("{}")) {
      if (automatic) {
        return Wrong(
            "holds {} twice, but there is one label: write {0} for each");
      }
      automatic = true;
      parsed.literals_.emplace_back();
      text.remove_prefix(2);
    } else if (text.starts_with("{0}")) {
      numbered = true;
      parsed.literals_.emplace_back();
      text.remove_prefix(3);
    } else {
      return Wrong(
          "holds a brace that is neither {} nor {0}: a brace itself is written "
          "twice");
    }
  }
  if (automatic && numbered) return Wrong("holds both {} and {0}");
  if (!automatic && !numbered) {
    return Wrong("has no {} for the label");
  }
  return parsed;
}

std::string HypothesisTemplate::Format(std::string_view label) const {
  std::string text = literals_[0];
  for (size_t i = 1; i < literals_.size(); ++i) {
    text.append(label).append(literals_[i]);
  }
  return text;
}

size_t HypothesisTemplate::FormattedBytes(size_t label_bytes) const {
  size_t bytes = (literals_.size() - 1) * label_bytes;
  for (const std::string& literal : literals_) bytes += literal.size();
  return bytes;
}

}  // namespace deberta::server
