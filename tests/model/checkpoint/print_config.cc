// Prints configurations as they were read: for each config.json one line of
// JSON, for comparison with the reference (tests/conformance/config_check.py).
//
//   print_config CONFIG...

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "model/checkpoint/config.h"

namespace {

nlohmann::json Fields(const deberta::model::Config& config) {
  return {
      {"family", config.family == deberta::model::Family::kDeberta
                     ? "deberta"
                     : "deberta-v2"},
      {"vocab_size", config.vocab_size},
      {"hidden_size", config.hidden_size},
      {"num_hidden_layers", config.num_hidden_layers},
      {"num_attention_heads", config.num_attention_heads},
      {"intermediate_size", config.intermediate_size},
      {"embedding_size", config.embedding_size},
      {"max_position_embeddings", config.max_position_embeddings},
      {"type_vocab_size", config.type_vocab_size},
      {"layer_norm_eps", config.layer_norm_eps},
      {"position_biased_input", config.position_biased_input},
      {"relative_attention", config.relative_attention},
      {"max_relative_positions", config.max_relative_positions},
      {"position_buckets", config.position_buckets},
      {"c2p", config.c2p},
      {"p2c", config.p2c},
      {"scale_factor", config.scale_factor},
      {"share_att_key", config.share_att_key},
      {"norm_rel_embeddings", config.norm_rel_embeddings},
      {"conv_kernel_size", config.conv_kernel_size},
      {"conv_groups", config.conv_groups},
      {"legacy_mlm_head", config.legacy_mlm_head},
      {"tie_word_embeddings", config.tie_word_embeddings},
      {"labels", config.labels},
  };
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i]);
    const std::string text(std::istreambuf_iterator<char>(file), {});
    const auto config = deberta::model::ParseConfig(text);
    if (!config.ok()) {
      std::fprintf(stderr, "%s: %s\n", argv[i],
                   config.status().ToString().c_str());
      return 1;
    }
    std::puts(Fields(*config).dump().c_str());
  }
}
