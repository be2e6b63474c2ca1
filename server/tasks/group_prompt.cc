#include "server/tasks/group_prompt.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "server/tasks/shared/request_checks.h"
#include "server/tasks/shared/task.h"
#include "tokenizer/text/lower_case.h"

namespace deberta::server {
namespace {

using tokenizer::Tokenizer;
using tokenizer::TokenSequence;

const char* MarkerOf(GroupKind kind) {
  switch (kind) {
    case GroupKind::kStructure:
      return "[C]";
    case GroupKind::kEntities:
      return "[E]";
    case GroupKind::kRelation:
      return "[R]";
    case GroupKind::kClasses:
      return "[L]";
  }
  return "";
}

// Instances that are looked for, of which none counts more than 19.
uint32_t MostInstances(GroupKind kind) {
  constexpr uint32_t kAll = 20;
  if (kind == GroupKind::kClasses) return 0;
  return kind == GroupKind::kEntities ? 1 : kAll;
}

size_t Bytes(std::span<const GroupText> groups) {
  size_t bytes = 0;
  for (const GroupText& group : groups) {
    bytes += group.name.text.size() + group.description.text.size();
    for (const GroupField& field : group.fields) {
      bytes += field.name.text.size() + field.description.text.size();
      for (const LabelText& choice : field.choices) bytes += choice.text.size();
    }
  }
  return bytes;
}

// Gathers tokens; each piece is tokenized by itself. Keeps the first error.
class Builder {
 public:
  explicit Builder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  const absl::Status& status() const { return status_; }
  std::vector<int32_t>& ids() { return ids_; }
  uint32_t size() const { return static_cast<uint32_t>(ids_.size()); }

  // One of the package's own; where it begins.
  uint32_t Add(const std::string& piece) {
    const uint32_t begin = size();
    auto [known, is_new] = known_.try_emplace(piece);
    if (is_new) known->second = Tokenize(piece);
    ids_.insert(ids_.end(), known->second.begin(), known->second.end());
    return begin;
  }
  // One of the request's.
  uint32_t AddPlain(const LabelText& text) {
    const uint32_t begin = size();
    if (!status_.ok()) return begin;
    const absl::StatusOr<TokenSequence> tokens =
        TokenizePlain(tokenizer_, text.text, text.field);
    status_.Update(tokens.status());
    if (tokens.ok())
      ids_.insert(ids_.end(), tokens->ids.begin(), tokens->ids.end());
    return begin;
  }
  // One that is made of the request's, which are checked by themselves.
  void AddMade(const std::string& piece) {
    const std::vector<int32_t> ids = Tokenize(piece);
    ids_.insert(ids_.end(), ids.begin(), ids.end());
  }
  void CheckPlain(const LabelText& text) {
    if (text.text.empty()) return;
    status_.Update(TokenizePlain(tokenizer_, text.text, text.field).status());
  }

 private:
  std::vector<int32_t> Tokenize(const std::string& piece) {
    if (!status_.ok()) return {};
    absl::StatusOr<TokenSequence> tokens = tokenizer_.Tokenize(piece);
    status_.Update(tokens.status());
    return tokens.ok() ? std::move(tokens->ids) : std::vector<int32_t>();
  }

  const Tokenizer& tokenizer_;
  absl::Status status_;
  std::vector<int32_t> ids_;
  absl::flat_hash_map<std::string, std::vector<int32_t>> known_;
};

// What is read of the group as a whole.
std::string PromptOf(const GroupText& group) {
  std::string prompt(group.name.text);
  if (!group.description.text.empty())
    prompt.append(": ").append(group.description.text);
  for (const GroupField& field : group.fields) {
    if (field.description.text.empty()) continue;
    prompt.append(" [DESCRIPTION] ").append(field.name.text);
    prompt.append(": ").append(field.description.text);
  }
  return prompt;
}

void AddGroup(const GroupText& group, Builder& builder,
              model::WordReading& reading) {
  builder.CheckPlain(group.name);
  builder.CheckPlain(group.description);
  for (const GroupField& field : group.fields)
    builder.CheckPlain(field.description);
  builder.Add("(");
  reading.groups.push_back(
      {.prompt = builder.Add("[P]"),
       .labels = static_cast<uint32_t>(group.fields.size()),
       .most_instances = MostInstances(group.kind)});
  builder.AddMade(PromptOf(group));
  builder.Add("(");
  for (const GroupField& field : group.fields) {
    reading.labels.push_back(builder.Add(MarkerOf(group.kind)));
    builder.AddPlain(field.name);
  }
  builder.Add(")");
  builder.Add(")");
}

// The words before the text, and the first that is the same, but for case, as
// each.
class ChoiceWords {
 public:
  explicit ChoiceWords(Builder& builder, model::WordReading& reading)
      : builder_(builder), reading_(reading) {}

  void Add(const std::string& piece) { Keep(builder_.Add(piece), piece); }
  void AddPlain(const LabelText& text) {
    Keep(builder_.AddPlain(text), text.text);
  }
  void AddMade(const std::string& piece) {
    const uint32_t begin = builder_.size();
    builder_.AddMade(piece);
    Keep(begin, piece);
  }
  uint32_t WordOf(std::string_view choice) const {
    return words_.at(tokenizer::PythonLower(choice));
  }

 private:
  void Keep(uint32_t begin, std::string_view piece) {
    if (!builder_.status().ok()) return;
    words_.try_emplace(tokenizer::PythonLower(piece),
                       static_cast<uint32_t>(reading_.word_begins.size()));
    reading_.word_begins.push_back(begin);
    reading_.word_ends.push_back(builder_.size());
  }

  Builder& builder_;
  model::WordReading& reading_;
  absl::flat_hash_map<std::string, uint32_t> words_;
};

// "( item: size ( large | small ) , color ( red | blue ) )", of structures that
// have choices.
void AddChoices(const GroupText& group, ChoiceWords& words) {
  bool any = false;
  for (const GroupField& field : group.fields) {
    if (field.choices.empty()) continue;
    if (any) {
      words.Add(",");
    } else {
      words.Add("(");
      words.AddMade(std::string(group.name.text) + ":");
    }
    any = true;
    words.AddPlain(field.name);
    words.Add("(");
    for (size_t i = 0; i < field.choices.size(); ++i) {
      if (i > 0) words.Add("|");
      words.AddPlain(field.choices[i]);
    }
    words.Add(")");
  }
  if (any) words.Add(")");
}

}  // namespace

absl::StatusOr<GroupPrompt> MakeGroupPrompt(std::span<const GroupText> groups,
                                            const Tokenizer& tokenizer,
                                            std::string_view field) {
  if (absl::Status s = CheckPromptBytes(Bytes(groups), field); !s.ok())
    return s;
  GroupPrompt prompt;
  Builder builder(tokenizer);
  for (size_t i = 0; i < groups.size(); ++i) {
    if (i > 0) builder.Add("[SEP_STRUCT]");
    AddGroup(groups[i], builder, prompt.reading);
  }
  builder.Add("[SEP_TEXT]");
  ChoiceWords words(builder, prompt.reading);
  for (const GroupText& group : groups) AddChoices(group, words);
  if (!builder.status().ok()) return builder.status();
  for (const GroupText& group : groups) {
    std::vector<std::vector<uint32_t>>& of_group =
        prompt.choices.emplace_back();
    for (const GroupField& of : group.fields) {
      std::vector<uint32_t>& of_field = of_group.emplace_back();
      for (const LabelText& choice : of.choices)
        of_field.push_back(words.WordOf(choice.text));
    }
  }
  prompt.ids = std::move(builder.ids());
  return prompt;
}

}  // namespace deberta::server
