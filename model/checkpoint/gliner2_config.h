// A config.json of model_type "extractor": what GLiNER2 puts on its encoder
// (spec gliner 3).

#ifndef MODEL_CHECKPOINT_GLINER2_CONFIG_H_
#define MODEL_CHECKPOINT_GLINER2_CONFIG_H_

#include <cstdint>
#include <string_view>

#include "absl/status/statusor.h"
#include "model/checkpoint/config.h"
#include "model/checkpoint/config_fields.h"
#include "model/checkpoint/gliner_config.h"
#include "model/checkpoint/label_head.h"

namespace deberta::model {

// Of the directory: the encoder's own configuration.
inline constexpr char kGliner2EncoderFile[] = "encoder_config/config.json";

// What makes of a label's vector those of its instances.
enum class CountingLayer {
  kProjector,    // count_lstm
  kTransformer,  // count_lstm_v2: the labels of an instance see each other
  kExperts,      // count_lstm_moe
};

struct Gliner2Config {
  LabelHead head = {};
  CountingLayer counting = CountingLayer::kProjector;
  WordPooling pooling = WordPooling::kFirst;
};

struct Gliner2Model {
  Config encoder = {};
  Gliner2Config gliner2 = {};
};

// `encoder_json`: the text of kGliner2EncoderFile. InvalidArgument names what
// is not served. REQUIRES: an object.
absl::StatusOr<Gliner2Model> ParseGliner2Config(const Json& object,
                                                std::string_view encoder_json);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_GLINER2_CONFIG_H_
