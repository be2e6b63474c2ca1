// The tags of one text from those of its windows, which are added in the order
// of the text. What no later window can change is given back at once, so that
// the tags of a window or two are held.

#ifndef SERVER_TASKS_TAG_WINDOWS_H_
#define SERVER_TASKS_TAG_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "server/tasks/tag_aggregation.h"

namespace deberta::server {

// Of spans that are one token each, those from the window in which the token
// stands farthest from an edge; from the earlier window among equals.
class CentralTags {
 public:
  // `window` has a span a token. `begin` tokens of the text come before it,
  // `next_begin` before the next window; there is none after the last.
  std::vector<TaggedSpan> Add(std::vector<TaggedSpan> window, size_t begin,
                              std::optional<size_t> next_begin);

 private:
  struct Chosen {
    TaggedSpan span;
    size_t distance = 0;  // from the nearer edge of its window
  };
  std::vector<Chosen> chosen_;  // of the tokens from given_ on
  size_t given_ = 0;
};

// One list by start: of spans that begin inside the one kept so far, the longer
// stays, among equals the likelier.
class SpanMerger {
 public:
  // Spans of equal start are taken in the order of their windows, or with
  // `later_first` against it.
  explicit SpanMerger(bool later_first = false) : later_first_(later_first) {}

  // No span of a later window starts before `next_start`; there is none after
  // the last window.
  std::vector<TaggedSpan> Add(std::vector<TaggedSpan> window,
                              std::optional<uint32_t> next_start);

 private:
  bool later_first_;
  std::vector<TaggedSpan> waiting_;  // by start
  std::optional<TaggedSpan> kept_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_TAG_WINDOWS_H_
