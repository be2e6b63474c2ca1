#include "tokenizer/files/hf5_unigram.h"

#include <algorithm>

namespace deberta::tokenizer {

HfUnigramOptions MakeHf5Unigram(
    std::vector<std::pair<std::string, double>> pieces,
    const Hf5Settings& settings) {
  HfUnigramOptions options;
  const auto unk = std::find(pieces.begin(), pieces.end(),
                             std::pair(settings.unk_token, 0.0));
  options.unk_id = unk == pieces.end()
                       ? settings.unk_id
                       : static_cast<int32_t>(unk - pieces.begin());
  options.pieces = std::move(pieces);
  options.split_by_punct = settings.split_by_punct;

  std::vector<Normalizer::Step> steps;
  if (settings.do_lower_case) steps.emplace_back(Normalizer::Lowercase{});
  steps.emplace_back(Normalizer::Replace{
      .pattern = "\\s{2,}|[\\n\\r\\t]", .regex = true, .content = " "});
  steps.emplace_back(NormalizationForm::kNfc);
  steps.emplace_back(Normalizer::Strip{.left = false, .right = true});
  // These steps have nothing that could be wrong.
  options.normalizer = *Normalizer::Create(std::move(steps));

  if (!settings.add_prefix_space) {
    options.pre_tokenizer.prepend_scheme = Metaspace::PrependScheme::kFirst;
    options.decoder.prepend_scheme = Metaspace::PrependScheme::kFirst;
  }
  return options;
}

}  // namespace deberta::tokenizer
