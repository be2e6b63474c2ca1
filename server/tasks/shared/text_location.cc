#include "server/tasks/shared/text_location.h"

#include <algorithm>

namespace deberta::server {

tokenizer::Span InUnit(const tokenizer::TextIndex& index, tokenizer::Span span,
                       OffsetUnit unit) {
  switch (unit) {
    case OffsetUnit::kCodePoints:
      return span;
    case OffsetUnit::kUtf8Bytes:
      return {index.ToByte(span.start), index.ToByte(span.end)};
    case OffsetUnit::kUtf16CodeUnits:
      return {index.ToUtf16(span.start), index.ToUtf16(span.end)};
  }
  return span;
}

TextLocation Locate(const tokenizer::TextIndex& index, tokenizer::Span span,
                    OffsetUnit unit, bool trim) {
  span.end = std::max(span.start, span.end);
  if (trim) span = index.Trim(span);
  const tokenizer::Span in_unit = InUnit(index, span, unit);
  return {.text = std::string(index.Text(span)),
          .start = in_unit.start,
          .end = in_unit.end};
}

}  // namespace deberta::server
