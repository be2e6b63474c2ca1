#include "tools/client/inputs.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::tools {

absl::StatusOr<Inputs> Inputs::FromArguments(
    const std::vector<std::string>& arguments, bool pairs) {
  if (pairs && arguments.size() % 2 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--pair takes the texts two by two, got ", arguments.size(), " texts"));
  }
  Inputs inputs(nullptr, pairs);
  for (size_t i = 0; i < arguments.size(); i += pairs ? 2 : 1) {
    inputs.arguments_.push_back(
        {.text = arguments[i], .pair = pairs ? arguments[i + 1] : ""});
  }
  return inputs;
}

Inputs Inputs::FromLines(std::istream& stream, bool pairs) {
  return Inputs(&stream, pairs);
}

absl::Status Inputs::Next(size_t limit, std::vector<Input>* batch) {
  batch->clear();
  if (stream_ == nullptr) {
    const size_t count = std::min(limit, arguments_.size() - taken_);
    const auto first = arguments_.begin() + static_cast<ptrdiff_t>(taken_);
    batch->assign(first, first + static_cast<ptrdiff_t>(count));
    taken_ += count;
    return absl::OkStatus();
  }
  std::string line;
  while (batch->size() < limit && std::getline(*stream_, line)) {
    ++taken_;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t tab = pairs_ ? line.find('\t') : line.size();
    if (tab == std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", taken_, ": --pair needs a TAB between the two texts"));
    }
    batch->push_back({.text = line.substr(0, tab),
                      .pair = pairs_ ? line.substr(tab + 1) : ""});
  }
  return absl::OkStatus();
}

}  // namespace deberta::tools
