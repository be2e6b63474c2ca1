// Whatever the configurations of GLiNER, GLiClass and GLiNER2 hold, they are
// refused or give sizes that can be used. The first byte says whose it is; a
// NUL divides what stands in two files.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "json/json.h"
#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/gliclass_config.h"
#include "model/checkpoint/gliner2_config.h"
#include "model/checkpoint/gliner_config.h"

namespace {

using deberta::model::Config;
using deberta::model::LabelHead;

constexpr size_t kMostWords = size_t{1} << 20;

void CheckMessage(const absl::Status& status) {
  if (status.message().size() > 1000) std::abort();
}

void Check(const Config& encoder, const LabelHead& head) {
  if (encoder.head_size * encoder.num_attention_heads != encoder.hidden_size ||
      encoder.relative_span() < 1 || encoder.num_hidden_layers < 1 ||
      head.architecture.empty() || head.architecture.size() > 100 ||
      head.max_words > kMostWords || head.max_span_words > kMostWords ||
      !(head.word_cost >= 0 && head.label_cost >= 0 && head.pair_cost >= 0)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(input) + 1,
                              size - 1);
  const size_t end = std::min(text.find('\0'), text.size());
  const std::string_view first = text.substr(0, end);
  const std::string_view second = text.substr(std::min(end + 1, text.size()));
  if (input[0] % 3 == 0) {
    const auto model = deberta::model::ParseGlinerConfig(first, second);
    CheckMessage(model.status());
    if (!model.ok()) return 0;
    Check(model->encoder, model->gliner.head);
    if (model->gliner.width < 1 || model->gliner.rnn_layers < 0) std::abort();
    return 0;
  }
  const auto object = deberta::model::ParseObject(first);
  if (!object.ok()) return 0;
  if (input[0] % 3 == 1) {
    const auto model = deberta::model::ParseGliclassConfig(*object);
    CheckMessage(model.status());
    if (!model.ok()) return 0;
    Check(model->encoder, model->gliclass.head);
    if (model->gliclass.width < 1) std::abort();
    return 0;
  }
  const auto model = deberta::model::ParseGliner2Config(*object, second);
  CheckMessage(model.status());
  if (!model.ok()) return 0;
  Check(model->encoder, model->gliner2.head);
  if (model->gliner2.head.max_span_words < 1) std::abort();
  return 0;
}
