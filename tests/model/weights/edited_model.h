// Golden models with changed tensors and configurations.

#ifndef TESTS_MODEL_WEIGHTS_EDITED_MODEL_H_
#define TESTS_MODEL_WEIGHTS_EDITED_MODEL_H_

#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "model/checkpoint/checkpoint.h"
#include "model/weights/weights.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {

inline std::unique_ptr<const Checkpoint> Opened(const std::string& directory) {
  auto checkpoint =
      Checkpoint::Open(directory, {.hdf5_reader = DEBERTA_HDF5_READER});
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return checkpoint.ok() ? *std::move(checkpoint) : nullptr;
}

// A golden model whose tensors and configuration can be changed.
class EditedModel {
 public:
  explicit EditedModel(const std::string& name)
      : golden_(Opened(GoldenModel(name))), tensors(golden_->tensors()) {
    std::ifstream file(GoldenModel(name) + "/config.json");
    std::stringstream text;
    text << file.rdbuf();
    config = text.str();
  }

  absl::StatusOr<Weights> Bind(
      std::optional<FillMaskDecoder> fill_mask = std::nullopt) {
    directory_.Write("config.json", config);
    directory_.Write("model.safetensors", SafetensorsBytes(tensors));
    checkpoint_ = Opened(directory_.path());
    return BindWeights(*checkpoint_, fill_mask);
  }

  std::string Refusal(std::optional<FillMaskDecoder> fill_mask = std::nullopt) {
    const absl::StatusOr<Weights> weights = Bind(fill_mask);
    EXPECT_EQ(weights.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(weights.status().message());
  }

  const Checkpoint& checkpoint() const { return *checkpoint_; }

 private:
  std::unique_ptr<const Checkpoint> golden_;
  ModelDirectory directory_;
  std::unique_ptr<const Checkpoint> checkpoint_;

 public:
  TensorMap tensors;  // by normalised name
  std::string config;
};

}  // namespace deberta::model

#endif  // TESTS_MODEL_WEIGHTS_EDITED_MODEL_H_
