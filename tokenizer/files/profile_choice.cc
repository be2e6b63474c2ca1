#include "tokenizer/files/profile_choice.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/excerpt.h"

namespace deberta::tokenizer {
namespace {

constexpr int kFirstOfHf5 = 5;

// The first number of a version such as "5.24.0"; 0 if it is none.
int MajorVersion(const std::string& version) {
  int major = 0;
  if (!absl::SimpleAtoi(version.substr(0, version.find('.')), &major)) return 0;
  return major;
}

bool HasNfc(const JsonNode& normalizer) {
  if (!normalizer.is_object()) return false;
  const std::string type = normalizer.At("type").StringOr("");
  if (type != "Sequence") return type == "NFC";
  for (const JsonNode& step : normalizer.At("normalizers").Elements()) {
    if (step.is_object() && step.At("type").StringOr("") == "NFC") return true;
  }
  return false;
}

// `[CLS] A [SEP] [SEP] B [SEP]`, as a TemplateProcessing.
bool HasTwoSeparators(const JsonNode& post_processor) {
  if (!post_processor.is_object()) return false;
  if (post_processor.At("type").StringOr("") != "TemplateProcessing") {
    return false;
  }
  const std::vector<JsonNode> pair = post_processor.At("pair").Elements();
  return pair.size() == 6 && pair[2].At("SpecialToken").present() &&
         pair[3].At("SpecialToken").present();
}

}  // namespace

ProfileChoice ChooseProfile(const JsonDocument& tokenizer_config,
                            const JsonDocument& config,
                            const JsonDocument* tokenizer_json) {
  if (tokenizer_config.root().At("backend").present()) {
    return {Profile::kHf5,
            "tokenizer_config.json has \"backend\", which transformers 5 "
            "writes"};
  }
  const std::string version =
      config.root().At("transformers_version").StringOr("");
  if (MajorVersion(version) >= kFirstOfHf5) {
    return {Profile::kHf5,
            absl::StrCat("config.json is of transformers ", Excerpt(version))};
  }
  if (tokenizer_json != nullptr) {
    const JsonNode root = tokenizer_json->root();
    const std::string model = root.At("model").At("type").StringOr("");
    if (model == "Unigram" && HasNfc(root.At("normalizer"))) {
      return {Profile::kHf5,
              "tokenizer.json normalizes by NFC, as transformers 5 does"};
    }
    if (model == "BPE" && HasTwoSeparators(root.At("post_processor"))) {
      return {Profile::kHf5,
              "tokenizer.json puts two separators into a pair, as transformers "
              "5 does"};
    }
  }
  return {Profile::kHf4, "no file says that transformers 5 wrote it"};
}

}  // namespace deberta::tokenizer
