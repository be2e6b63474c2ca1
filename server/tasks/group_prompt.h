// Groups of labels as GLiNER2 reads them (spec gliner 3.3): tokens that stand
// before those of the text.
//
//   ( [P] name ( [C] field [C] field ) ) [SEP_STRUCT] ( ... ) [SEP_TEXT]
//
// and, of fields with choices, the choices, as words before those of the text.

#ifndef SERVER_TASKS_GROUP_PROMPT_H_
#define SERVER_TASKS_GROUP_PROMPT_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/runtime/batch.h"
#include "server/tasks/label_prompt.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// What the fields of a group are: of one of several things that the text tells
// of, kinds of entities, head and tail of a relation, classes of the text.
enum class GroupKind { kStructure, kEntities, kRelation, kClasses };

struct GroupField {
  LabelText name = {};
  LabelText description = {};  // "" = absent
  std::vector<LabelText> choices = {};
};

struct GroupText {
  GroupKind kind = GroupKind::kStructure;
  LabelText name = {};         // what the model reads of the whole
  LabelText description = {};  // "" = absent
  std::vector<GroupField> fields = {};
};

struct GroupPrompt {
  std::vector<int32_t> ids;
  // What the head reads of them.
  model::WordReading reading;
  // [groups][fields][choices]: the word that stands for the choice.
  std::vector<std::vector<std::vector<uint32_t>>> choices;

  size_t words() const { return reading.word_begins.size(); }
};

// InputErrors where the texts take too many bytes together (about `field`), or
// one holds a special token.
// REQUIRES: names, fields and choices that are not empty.
absl::StatusOr<GroupPrompt> MakeGroupPrompt(
    std::span<const GroupText> groups, const tokenizer::Tokenizer& tokenizer,
    std::string_view field);

}  // namespace deberta::server

#endif  // SERVER_TASKS_GROUP_PROMPT_H_
