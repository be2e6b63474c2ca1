// A token span of a text as the client asked for it: in its unit, with or
// without the white space that tokens carry.

#ifndef SERVER_TASKS_SHARED_TEXT_LOCATION_H_
#define SERVER_TASKS_SHARED_TEXT_LOCATION_H_

#include <cstdint>
#include <string>

#include "server/tasks/shared/task.h"
#include "tokenizer/encoding/encoding.h"
#include "tokenizer/text/text_index.h"

namespace deberta::server {

struct TextLocation {
  std::string text = {};  // exactly the original's [start, end)
  uint32_t start = 0;     // in the unit asked for
  uint32_t end = 0;
};

// A code point span in another unit.
// REQUIRES: span.start <= span.end <= index.code_points().
tokenizer::Span InUnit(const tokenizer::TextIndex& index, tokenizer::Span span,
                       OffsetUnit unit);

// A span that ends before it starts, as tokens of rewritten text may, is empty
// at its start.
TextLocation Locate(const tokenizer::TextIndex& index, tokenizer::Span span,
                    OffsetUnit unit, bool trim);

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_TEXT_LOCATION_H_
