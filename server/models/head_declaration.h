// A classification head as "head" of deberta.json declares it (docs/heads.md):
//
//   {"backbone": "encoder.",                    what stands before the names
//                                               of the backbone's tensors
//    "pooling": "first" | "last" | "mean" | "max" | {"token_id": 128002},
//    "layers": [{"linear": "dense"}, {"activation": "tanh"},
//               {"layer_norm": "norm"}],        NAME.weight, NAME.bias
//    "outputs": [
//      {"name": "topic", "linear": "head_0.fc", "labels": ["a", "b"],
//       "function": "softmax" | "sigmoid" | "none",
//       "score": {"weights": [1, 0], "divisor": 1, "decimals": 4,
//                 "zero_below": 0.05}}],
//    "scores": [{"name": "total", "of": {"topic": 0.5}, "decimals": 5}]}
//
// "backbone", "layers", "labels", "function", "score", "scores" and all keys of
// "score" but "weights" may be left out; "pooling" is then "first". "name" may
// be where there is one output, which then answers as any classifier.

#ifndef SERVER_MODELS_HEAD_DECLARATION_H_
#define SERVER_MODELS_HEAD_DECLARATION_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "json/json.h"
#include "model/weights/declared_head.h"
#include "server/tasks/shared/head_outputs.h"

namespace deberta::server {

struct HeadDeclaration {
  std::string backbone = {};
  model::DeclaredHead head = {};
  // Their columns are counted by PlaceOutputs().
  HeadOutputs outputs = {};
  // Of the last output that says one.
  std::optional<ScoreFunction> function = {};

  // Whether it answers by ClassifyResult.outputs: of several, or of one with a
  // name.
  bool HasNamedOutputs() const { return !outputs.outputs.front().name.empty(); }
};

// "softmax", "sigmoid" or "none"; InvalidArgument names `where`.
absl::StatusOr<ScoreFunction> ReadScoreFunction(const std::string& where,
                                                const json::Value& value);

// InvalidArgument says where, what was expected and what was got.
absl::StatusOr<HeadDeclaration> ReadHeadDeclaration(const std::string& where,
                                                    const json::Value& value);

// Sets the columns of `outputs` from those that each output of the head has.
// InvalidArgument where a score has other weights than columns.
absl::Status PlaceOutputs(const std::vector<size_t>& columns,
                          HeadOutputs* outputs);

}  // namespace deberta::server

#endif  // SERVER_MODELS_HEAD_DECLARATION_H_
