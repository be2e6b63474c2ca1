// Whatever config.json holds, it is refused or gives sizes that can be used.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "model/checkpoint/config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* input, size_t size) {
  const auto config =
      deberta::model::ParseConfig({reinterpret_cast<const char*>(input), size});
  if (!config.ok()) {
    if (config.status().message().size() > 1000) std::abort();
    return 0;
  }
  if (config->head_size * config->num_attention_heads != config->hidden_size ||
      config->relative_span() < 1 ||
      config->labels.empty() == config->labels_error.ok() ||
      config->entailment_label.value_or(0) > config->labels.size() ||
      config->conv_groups < 1 || config->num_hidden_layers < 1) {
    std::abort();
  }
  return 0;
}
