#include "model/checkpoint/config_labels.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace deberta::model {
namespace {

constexpr int64_t kMaxLabels = int64_t{1} << 16;

// The name as JSON has it. The reference's pipelines give the value of id2label
// as it is: `true`, `null` and numbers too.
std::optional<std::string> LabelName(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float() && !std::isfinite(value.get<double>())) {
    return std::nullopt;
  }
  if (value.is_primitive()) return value.dump();
  return std::nullopt;
}

// Sets label `index` of `labels` unless it is out of range or taken.
bool PlaceLabel(std::optional<int64_t> index, std::optional<std::string> name,
                std::vector<std::optional<std::string>>& labels) {
  if (!index || *index < 0 || *index >= static_cast<int64_t>(labels.size()) ||
      !name) {
    return false;
  }
  std::optional<std::string>& place = labels[static_cast<size_t>(*index)];
  if (place) return false;
  place = std::move(name);
  return true;
}

// id2label {"0": name, ...} or, inverted, label2id {name: 0, ...}: each index
// below the number of entries exactly once.
void ReadLabelMap(ConfigFields& fields, const char* key, const Json& map,
                  bool by_name, Config& config) {
  bool valid = map.is_object() && !map.empty() &&
               map.size() <= static_cast<size_t>(kMaxLabels);
  std::vector<std::optional<std::string>> labels(valid ? map.size() : 0);
  for (auto it = map.begin(); valid && it != map.end(); ++it) {
    if (by_name) {
      valid = PlaceLabel(AsInteger(*it), it.key(), labels);
    } else {
      int64_t index = -1;
      valid = absl::SimpleAtoi(it.key(), &index) &&
              PlaceLabel(index, LabelName(*it), labels);
    }
  }
  if (!valid) {
    return fields.Refuse(
        key, "an object that names each index from 0 to its size once",
        json::Shown(map));
  }
  for (std::optional<std::string>& label : labels) {
    config.labels.push_back(*std::move(label));
  }
}

void ReadNames(ConfigFields& fields, Config& config) {
  if (const Json* names = fields.Find("id2label")) {
    return ReadLabelMap(fields, "id2label", *names, /*by_name=*/false, config);
  }
  const Json* indices = fields.Find("label2id");
  const int64_t count = fields.Int("num_labels", 2, 1, kMaxLabels);
  // The reference numbers the labels here; names in the file say more.
  if (indices != nullptr && (fields.Find("num_labels") == nullptr ||
                             indices->size() == static_cast<size_t>(count))) {
    return ReadLabelMap(fields, "label2id", *indices, /*by_name=*/true, config);
  }
  for (int64_t i = 0; i < count; ++i) {
    config.labels.push_back(absl::StrCat("LABEL_", i));
  }
}

bool IsEntailment(std::string_view name) {
  return absl::StartsWithIgnoreCase({name.data(), name.size()}, "entail");
}

// As the reference's zero-shot pipeline takes it from label2id, which need not
// agree with id2label: the first name of the file that begins so.
std::optional<size_t> ByLabel2Id(std::string_view text, const Json& label2id,
                                 size_t labels) {
  for (const std::string& name : json::KeysInOrder(text, "label2id")) {
    if (!IsEntailment(name)) continue;
    const std::optional<int64_t> index = AsInteger(label2id[name]);
    if (!index || *index < 0 || *index >= static_cast<int64_t>(labels)) break;
    return static_cast<size_t>(*index);
  }
  return std::nullopt;
}

std::optional<size_t> EntailmentLabel(std::string_view text,
                                      const ConfigFields& fields,
                                      const std::vector<std::string>& labels) {
  const Json* label2id = fields.Find("label2id");
  if (fields.Find("id2label") == nullptr) {
    // The reference numbers the labels, finds none, and takes the last.
    if (labels.empty() || !IsEntailment(labels.back())) return std::nullopt;
    return labels.size() - 1;
  }
  if (label2id != nullptr) {
    return ByLabel2Id(text, *label2id, labels.size());
  }
  // The reference fails without label2id; id2label says the same.
  for (size_t i = 0; i < labels.size(); ++i) {
    if (IsEntailment(labels[i])) return i;
  }
  return std::nullopt;
}

}  // namespace

void ReadLabels(std::string_view text, ConfigFields& fields, Config& config) {
  const Json* label2id = fields.Find("label2id");
  if (label2id != nullptr && !label2id->is_object()) {
    return fields.Refuse("label2id", "an object", json::Shown(*label2id));
  }
  ReadNames(fields, config);
  if (!fields.status().ok()) {
    config.labels.clear();
    return;
  }
  config.entailment_label = EntailmentLabel(text, fields, config.labels);
}

}  // namespace deberta::model
