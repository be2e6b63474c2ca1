#include "tools/convert/report.h"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/table.h"

namespace deberta::tools {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kUnchanged[] = "unchanged";

std::map<std::string, std::vector<const PlannedTensor*>> ByRule(
    const Conversion& conversion) {
  std::map<std::string, std::vector<const PlannedTensor*>> rules;
  for (const PlannedTensor& tensor : conversion.tensors) {
    rules[tensor.rule.empty() ? kUnchanged : tensor.rule].push_back(&tensor);
  }
  return rules;
}

}  // namespace

std::string ReportText(const Conversion& conversion) {
  std::string text = absl::StrFormat(
      "%d tensors, %.1f MB, from %s (%s)\n", conversion.tensors.size(),
      static_cast<double>(conversion.bytes) / 1e6, conversion.weights_path,
      conversion.format);
  Table names;
  names.columns = {{"names"}, {"tensors", true}, {"the first of them"}};
  for (const auto& [rule, tensors] : ByRule(conversion)) {
    const PlannedTensor& first = *tensors.front();
    names.rows.push_back({rule, absl::StrCat(tensors.size()),
                          first.source == first.target
                              ? first.source
                              : first.source + " -> " + first.target});
  }
  text += FormatTable(names, "  ");
  if (!conversion.skipped.empty()) {
    Table skipped;
    skipped.columns = {{"skipped"}, {"because"}};
    for (const auto& [name, why] : conversion.skipped) {
      skipped.rows.push_back({name, why});
    }
    text += FormatTable(skipped, "  ");
  }
  std::vector<std::string> files;
  for (const auto& [name, origin] : conversion.files) {
    files.push_back(name == origin ? name : name + " (from " + origin + ")");
  }
  absl::StrAppend(&text, "also written: ", absl::StrJoin(files, ", "), "\n");
  if (!conversion.left.empty()) {
    absl::StrAppend(&text, "not taken: ", absl::StrJoin(conversion.left, ", "),
                    "\n");
  }
  return text;
}

std::string ReportJson(const Conversion& conversion) {
  Json rules = Json::object();
  for (const auto& [rule, tensors] : ByRule(conversion)) {
    rules[rule] = tensors.size();
  }
  Json renamed = Json::array();
  for (const PlannedTensor& tensor : conversion.tensors) {
    if (tensor.rule.empty()) continue;
    renamed.push_back({{"from", tensor.source},
                       {"to", tensor.target},
                       {"rule", tensor.rule}});
  }
  const Json report = {{"weights", conversion.weights_path},
                       {"format", conversion.format},
                       {"bytes", conversion.bytes},
                       {"tensors", conversion.tensors.size()},
                       {"rules", rules},
                       {"renamed", renamed},
                       {"skipped", conversion.skipped},
                       {"files", conversion.files},
                       {"left", conversion.left}};
  // Names of files need not be UTF-8.
  return report.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace deberta::tools
