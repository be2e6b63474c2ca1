// Compares models with what the reference computed: for each directory (the
// layout of tests/golden/generators/make_model_golden.py) prints one line of
// JSON, the worst differences in units of the largest expected value of their
// tensor.
// Fails if a directory cannot be compared; judges no difference.
//
//   compare_model [--threads=N] [--isa=avx512|avx2|baseline]
//                 [--fill_mask=emd|plain|legacy] [--variant=main|generator]
//                 [--allowed_weights=safetensors,torch,hdf5]
//                 [--hdf5_reader=PROGRAM] DIRECTORY...

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "model/model.h"
#include "model/runtime/isa.h"
#include "tests/model/golden_model.h"

namespace deberta::model {
namespace {

struct Arguments {
  int threads = 1;
  Isa isa = Isa::kAmx;
  Model::Options load;
  std::vector<std::string> directories;
};

absl::Status ParseAllowed(std::string_view names, Arguments& arguments) {
  std::vector<WeightsFormat>& allowed = arguments.load.checkpoint.allowed;
  allowed.clear();
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(std::string(names), ','))) {
    const auto format = WeightsFormatNamed(name);
    if (!format.has_value()) {
      return absl::InvalidArgumentError("no format " + name);
    }
    allowed.push_back(*format);
  }
  return absl::OkStatus();
}

absl::Status ParseFlag(std::string_view name, std::string_view value,
                       Arguments& arguments) {
  const std::string text(value);
  if (name == "threads") {
    if (absl::SimpleAtoi(text, &arguments.threads) && arguments.threads >= 1) {
      return absl::OkStatus();
    }
  } else if (name == "isa") {
    const auto isa = ParseIsa(value);
    if (!isa.ok()) return isa.status();
    arguments.isa = *isa;
    return absl::OkStatus();
  } else if (name == "fill_mask") {
    const auto decoder = ParseFillMaskDecoder(value);
    if (!decoder.ok()) return decoder.status();
    arguments.load.fill_mask = *decoder;
    return absl::OkStatus();
  } else if (name == "variant" && (value == "main" || value == "generator")) {
    arguments.load.checkpoint.variant =
        value == "main" ? WeightsVariant::kMain : WeightsVariant::kGenerator;
    return absl::OkStatus();
  } else if (name == "allowed_weights") {
    return ParseAllowed(value, arguments);
  } else if (name == "hdf5_reader") {
    arguments.load.checkpoint.hdf5_reader = text;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("cannot use --", std::string(name), "=", text));
}

absl::StatusOr<Arguments> ParseArguments(int argc, char** argv) {
  Arguments arguments;
  arguments.load.checkpoint.hdf5_reader =
      std::filesystem::path(argv[0]).parent_path().parent_path() /
      "deberta-read-hdf5";
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (!argument.starts_with("--")) {
      arguments.directories.emplace_back(argument);
      continue;
    }
    argument.remove_prefix(2);
    const size_t equals = argument.find('=');
    const absl::Status status = ParseFlag(
        argument.substr(0, equals),
        equals == argument.npos ? "" : argument.substr(equals + 1), arguments);
    if (!status.ok()) return status;
  }
  if (arguments.directories.empty()) {
    return absl::InvalidArgumentError("expected directories");
  }
  return arguments;
}

std::string_view HeadName(Head head) {
  switch (head) {
    case Head::kNone:
      return "none";
    case Head::kSequenceClassification:
      return "sequence_classification";
    case Head::kTokenClassification:
      return "token_classification";
    case Head::kQuestionAnswering:
      return "question_answering";
    case Head::kMaskedLanguageModel:
      return "masked_language_model";
    case Head::kMultipleChoice:
      return "multiple_choice";
    case Head::kReplacedTokenDetection:
      return "replaced_token_detection";
  }
  return "";
}

std::string Quoted(std::string_view text) {
  return absl::StrCat(
      "\"", absl::Utf8SafeCEscape(absl::string_view(text.data(), text.size())),
      "\"");
}

// JSON knows no infinity.
std::string Number(double value) {
  return std::isfinite(value) ? absl::StrCat(value) : "null";
}

// The fields of one directory's line.
absl::StatusOr<std::string> Compare(const std::string& directory,
                                    const Arguments& arguments,
                                    Workspace& workspace) {
  const auto model = Model::Load(directory, arguments.load);
  if (!model.ok()) return model.status();
  const auto golden = GoldenFile::Open(directory);
  if (!golden.ok()) return golden.status();
  const auto comparison = CompareToGolden(**model, *golden, workspace);
  if (!comparison.ok()) return comparison.status();
  const auto decoder = (*model)->fill_mask_decoder();
  return absl::StrCat(
      "\"head\":", Quoted(HeadName((*model)->head())), ",\"decoder\":",
      decoder.has_value() ? Quoted(FillMaskDecoderName(*decoder)) : "null",
      ",\"weights_format\":", Quoted((*model)->weights_format()),
      ",\"isa\":", Quoted(IsaName(arguments.isa)),
      ",\"unexpected\":", (*model)->unexpected_tensors().size(),
      ",\"sequences\":", comparison->sequences,
      ",\"hidden\":", Number(comparison->hidden),
      ",\"hidden_at\":", Quoted(comparison->hidden_tensor),
      ",\"logits\":", Number(comparison->logits));
}

int Run(const Arguments& arguments) {
  Workspace workspace(arguments.threads);
  int failures = 0;
  for (const std::string& directory : arguments.directories) {
    auto fields = Compare(directory, arguments, workspace);
    if (!fields.ok()) {
      ++failures;
      fields = "\"error\":" + Quoted(fields.status().ToString());
    }
    std::printf("{\"directory\":%s,%s}\n", Quoted(directory).c_str(),
                fields->c_str());
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace deberta::model

int main(int argc, char** argv) {
  const auto arguments = deberta::model::ParseArguments(argc, argv);
  absl::Status status = arguments.status();
  if (status.ok()) status = deberta::model::SetMaxIsa(arguments->isa);
  if (!status.ok()) {
    std::fprintf(stderr, "compare_model: %s\n", status.ToString().c_str());
    return 2;
  }
  return deberta::model::Run(*arguments);
}
