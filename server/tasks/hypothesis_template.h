// A sentence with places for a label, written as Python's str.format reads it
// with the label as its only argument.

#ifndef SERVER_TASKS_HYPOTHESIS_TEMPLATE_H_
#define SERVER_TASKS_HYPOTHESIS_TEMPLATE_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace deberta::server {

class HypothesisTemplate {
 public:
  // "{}", at most once, or "{0}", any number of times, is the label; "{{" and
  // "}}" are braces. An InputError about "hypothesis_template" for anything
  // else in braces, a brace alone, or no place for the label.
  static absl::StatusOr<HypothesisTemplate> Parse(std::string_view text);

  std::string Format(std::string_view label) const;
  // Bytes that Format() makes of a label of `label_bytes`.
  size_t FormattedBytes(size_t label_bytes) const;

 private:
  HypothesisTemplate() = default;

  // The text around the labels: one more than there are places.
  std::vector<std::string> literals_ = {""};
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_HYPOTHESIS_TEMPLATE_H_
