#include "server/models/proof_reader.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using Json = json::Value;

constexpr size_t kMostProofs = 100;
constexpr size_t kMostLabels = 100;
constexpr size_t kMostTextBytes = 64 << 10;
constexpr size_t kLongestShown = 60;

absl::Status Expected(const std::string& where, absl::string_view what,
                      const Json& got) {
  return absl::InvalidArgumentError(absl::StrCat(
      where, ": expected ", what, ", got ", std::string(got.type_name())));
}

absl::Status ReadText(const std::string& where, const Json& value,
                      std::string* out) {
  if (!value.is_string()) return Expected(where, "a string", value);
  const std::string& text = value.get_ref<const std::string&>();
  if (text.empty() || text.size() > kMostTextBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": expected 1 to ", kMostTextBytes, " bytes, got ",
                     text.size()));
  }
  *out = text;
  return absl::OkStatus();
}

absl::Status ReadTexts(const std::string& where, const Json& value,
                       std::vector<std::string>* out) {
  if (!value.is_array()) return Expected(where, "an array of strings", value);
  if (value.empty() || value.size() > kMostLabels) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, ": expected 1 to ", kMostLabels, ", got ", value.size()));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    absl::Status read = ReadText(absl::StrCat(where, "[", i, "]"), value[i],
                                 &out->emplace_back());
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

absl::Status ReadTask(const std::string& where, const Json& value,
                      TaskKind* out) {
  if (!value.is_string()) return Expected(where, "a string", value);
  const std::string& name = value.get_ref<const std::string&>();
  const auto found = std::ranges::find_if(
      kTaskKinds, [&](TaskKind kind) { return TaskName(kind) == name; });
  if (found == kTaskKinds.end() || *found == TaskKind::kEncode ||
      *found == TaskKind::kRerank || *found == TaskKind::kExtractStructured) {
    return absl::InvalidArgumentError(absl::StrCat(
        where,
        ": expected classify, tag_tokens, answer_question, fill_mask, "
        "zero_shot or extract_entities, got \"",
        name.substr(0, kLongestShown), "\""));
  }
  *out = *found;
  return absl::OkStatus();
}

absl::Status ReadShare(const std::string& where, const Json& value,
                       double* out) {
  if (!value.is_number()) return Expected(where, "a number", value);
  const double number = value.get<double>();
  if (!(number >= 0 && number <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ": expected 0 to 1, got ", number));
  }
  *out = number;
  return absl::OkStatus();
}

absl::Status ReadField(const std::string& where, const std::string& key,
                       const Json& value, Proof* proof) {
  const std::string field =
      absl::StrCat(where, ".", key.substr(0, kLongestShown));
  if (key == "task") return ReadTask(field, value, &proof->task);
  if (key == "text") return ReadText(field, value, &proof->input.text);
  if (key == "text_pair" || key == "question")
    return ReadText(field, value, &proof->input.text_pair);
  if (key == "choices") return ReadTexts(field, value, &proof->input.choices);
  if (key == "labels") return ReadTexts(field, value, &proof->labels);
  if (key == "label") return ReadText(field, value, &proof->label);
  if (key == "score") return ReadShare(field, value, &proof->score.emplace());
  if (key == "tolerance") return ReadShare(field, value, &proof->tolerance);
  return absl::InvalidArgumentError(absl::StrCat(
      field,
      ": expected task, text, text_pair, question, choices, labels, "
      "label, score or tolerance"));
}

absl::Status Missing(const std::string& where, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": expected ", what));
}

// Whether the fields are those of the task.
absl::Status CheckFields(const std::string& where, const Json& value,
                         const Proof& proof) {
  if (!value.contains("task")) return Missing(where, "a task");
  if (proof.input.text.empty()) return Missing(where, "a text");
  if (proof.label.empty()) return Missing(where, "a label");
  const bool asks = proof.task == TaskKind::kAnswerQuestion;
  if (value.contains("question") != asks)
    return Missing(where, "a question for answer_question, and it alone");
  if (proof.labels.empty() == (proof.task == TaskKind::kZeroShot ||
                               proof.task == TaskKind::kExtractEntities))
    return Missing(where,
                   "labels for zero_shot and extract_entities, and them alone");
  const bool classifies = proof.task == TaskKind::kClassify;
  if (!classifies && value.contains("text_pair"))
    return Missing(where, "a text_pair for classify alone");
  if (!classifies && !proof.input.choices.empty())
    return Missing(where, "choices for classify alone");
  if (!proof.input.text_pair.empty() && !proof.input.choices.empty())
    return Missing(where, "at most one of text_pair and choices");
  return absl::OkStatus();
}

absl::Status ReadProof(const std::string& where, const Json& value,
                       Proof* proof) {
  if (!value.is_object()) return Expected(where, "an object", value);
  for (auto it = value.begin(); it != value.end(); ++it) {
    absl::Status read = ReadField(where, it.key(), *it, proof);
    if (!read.ok()) return read;
  }
  return CheckFields(where, value, *proof);
}

}  // namespace

absl::Status ReadProofs(const json::Value& value, std::vector<Proof>* proofs) {
  if (!value.is_array()) return Expected("proofs", "an array", value);
  if (value.empty() || value.size() > kMostProofs) {
    return absl::InvalidArgumentError(absl::StrCat(
        "proofs: expected 1 to ", kMostProofs, ", got ", value.size()));
  }
  for (size_t i = 0; i < value.size(); ++i) {
    absl::Status read = ReadProof(absl::StrCat("proofs[", i, "]"), value[i],
                                  &proofs->emplace_back());
    if (!read.ok()) return read;
  }
  return absl::OkStatus();
}

}  // namespace deberta::server
