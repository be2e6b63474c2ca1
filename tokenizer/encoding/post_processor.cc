#include "tokenizer/encoding/post_processor.h"

namespace deberta::tokenizer {
namespace {

TemplatePiece Special(int32_t id, int32_t type_id) {
  return {.ids = {id}, .type_id = type_id};
}

TemplatePiece Text(int8_t sequence, int32_t type_id) {
  return {.sequence = sequence, .type_id = type_id};
}

}  // namespace

PostProcessor DebertaTemplate(int32_t cls, int32_t sep) {
  return {.single = {Special(cls, 0), Text(0, 0), Special(sep, 0)},
          .pair = {Special(cls, 0), Text(0, 0), Special(sep, 0), Text(1, 1),
                   Special(sep, 1)}};
}

PostProcessor Hf5DebertaTemplate(int32_t cls, int32_t sep) {
  return {.single = {Special(cls, 0), Text(0, 0), Special(sep, 0)},
          .pair = {Special(cls, 0), Text(0, 0), Special(sep, 0),
                   Special(sep, 0), Text(1, 0), Special(sep, 0)}};
}

size_t SpecialTokenCount(const Template& pieces) {
  size_t count = 0;
  for (const TemplatePiece& piece : pieces) count += piece.ids.size();
  return count;
}

}  // namespace deberta::tokenizer
