// How a text that is cut into words becomes model inputs under a length policy
// that counts words.

#ifndef SERVER_TASKS_SHARED_WORD_PLAN_H_
#define SERVER_TASKS_SHARED_WORD_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {

struct WordRule {
  LengthPolicy policy = LengthPolicy::kReject;
  size_t max_words = 0;   // of one sequence; 0: any number
  size_t max_tokens = 0;  // of one sequence, all told
  size_t overlap = 0;     // kWindow: words that neighbours share
  // Tokens of each sequence beside the words': of the prompt and the template.
  size_t fixed_tokens = 0;
  // Blamed where these leave no room.
  std::string_view labels_field = "labels";
};

struct WordPlan {
  // Words [begin, end).
  struct Window {
    size_t begin = 0;
    size_t end = 0;
    friend bool operator==(const Window&, const Window&) = default;
  };
  // In the order of the text; at least one.
  std::vector<Window> windows;
  Coverage coverage;
  size_t longest = 0;        // tokens of the longest window, all told
  size_t longest_words = 0;  // words of that with the most
};

// An InputError about `field` if there are more words than the rule allows.
absl::Status CheckWordCount(size_t words, const WordRule& rule,
                            std::string_view field);

// `ends` [words], ascending: tokens of the text up to the end of each word. A
// window has as many words as fit, in words and in tokens; TRUNCATE keeps the
// first. Errors are InputErrors about `field`, or about "stride".
// REQUIRES: there is a word.
absl::StatusOr<WordPlan> PlanWords(std::span<const uint32_t> ends,
                                   const WordRule& rule,
                                   std::string_view field);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_WORD_PLAN_H_
