#include "server/precision/served_networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "model/checkpoint/checkpoint.h"
#include "model/runtime/isa.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::server {
namespace {

using model::Model;
using model::Precision;
using testing::AllOf;
using testing::HasSubstr;

using Network = std::unique_ptr<const Model>;

absl::StatusOr<Network> Load(const std::string& directory,
                             Precision precision) {
  return Model::Load(directory, {.precision = precision});
}

Network Golden(const std::string& name, Precision precision) {
  auto network = Load(model::GoldenModel(name), precision);
  EXPECT_TRUE(network.ok()) << network.status();
  return *std::move(network);
}

// v3_classify with a classifier whose half-precision numbers are changed.
class ChangedClassifier {
 public:
  template <typename Change>
  explicit ChangedClassifier(Change change) {
    const std::string golden = model::GoldenModel("v3_classify");
    const auto checkpoint = model::Checkpoint::Open(golden, {});
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    model::TensorMap tensors = (*checkpoint)->tensors();
    std::vector<std::vector<std::byte>> changed;
    for (auto& [name, tensor] : tensors) {
      if (!name.starts_with("classifier.")) continue;
      std::vector<uint16_t> numbers(tensor.elements());
      std::memcpy(numbers.data(), tensor.bytes.data(), tensor.bytes.size());
      for (uint16_t& number : numbers) number = change(number);
      const auto bytes = std::as_bytes(std::span(numbers));
      tensor.bytes = changed.emplace_back(bytes.begin(), bytes.end());
    }
    std::filesystem::copy_file(golden + "/config.json",
                               directory_.File("config.json"));
    directory_.Write("model.safetensors", model::SafetensorsBytes(tensors));
  }
  const std::string& path() const { return directory_.path(); }

 private:
  const model::ModelDirectory directory_;
};

// Random ids for models with a vocabulary of 120 and 24 positions.
Calibration RandomInputs() {
  std::mt19937 random(5);
  Calibration calibration;
  for (int i = 0; i < 60; ++i) {
    SequenceInput sequence = {.rows = {0}};
    sequence.ids.resize(4 + random() % 20);
    for (int32_t& id : sequence.ids) id = static_cast<int32_t>(random() % 120);
    sequence.type_ids.assign(sequence.ids.size(), 0);
    calibration.inputs.push_back({{std::move(sequence)}});
  }
  return calibration;
}

absl::StatusOr<ServedNetworks> Choose(const PrecisionPolicy& policy,
                                      const NetworkLoader& load) {
  return ChooseNetworks(
      Golden("v3_classify", Precision::kFp32), load,
      [] { return RandomInputs(); }, policy);
}

absl::StatusOr<Network> LoadGolden(Precision precision) {
  return Golden("v3_classify", precision);
}

TEST(CompareModelsTest, AModelAgreesWithItself) {
  const Network network = Golden("v3_classify", Precision::kFp32);
  model::Workspace workspace(1);
  const auto agreement =
      CompareModels(*network, *network, RandomInputs(), workspace);
  ASSERT_TRUE(agreement.ok()) << agreement.status();
  EXPECT_EQ(agreement->inputs, 60u);
  EXPECT_EQ(agreement->labels, 60u);
  EXPECT_EQ(agreement->agreeing, 60u);
  EXPECT_EQ(agreement->max_logit_change, 0);
}

// The tokens of all inputs are more than one batch holds.
TEST(CompareModelsTest, BatchesChangeNothing) {
  const Network fp32 = Golden("v3_tag", Precision::kFp32);
  const Network other = Golden("v3_tag", Precision::kInt8);
  Calibration calibration;
  for (int i = 0; i < 4; ++i) {
    for (const CalibrationInput& input : RandomInputs().inputs)
      calibration.inputs.push_back(input);
  }
  model::Workspace workspace(1);
  const auto together = CompareModels(*fp32, *other, calibration, workspace);
  ASSERT_TRUE(together.ok()) << together.status();
  Agreement alone;
  for (const CalibrationInput& input : calibration.inputs) {
    const auto one =
        CompareModels(*fp32, *other, {.inputs = {input}}, workspace);
    ASSERT_TRUE(one.ok()) << one.status();
    alone.labels += one->labels;
    alone.agreeing += one->agreeing;
    alone.max_logit_change =
        std::max(alone.max_logit_change, one->max_logit_change);
  }
  EXPECT_EQ(together->labels, alone.labels);
  EXPECT_EQ(together->agreeing, alone.agreeing);
  EXPECT_NEAR(together->max_logit_change, alone.max_logit_change, 1e-5);
  EXPECT_GT(together->max_logit_change, 0);
}

TEST(CompareModelsTest, ModelsOfDifferentHeadsAreAnError) {
  const Network fp32 = Golden("v3_classify", Precision::kFp32);
  const Network other = Golden("v3_tag", Precision::kFp32);
  model::Workspace workspace(1);
  EXPECT_FALSE(CompareModels(*fp32, *other, RandomInputs(), workspace).ok());
}

TEST(ChooseNetworksTest, Fp32IsServedUnasked) {
  const auto network = ChooseNetworks(
      Golden("v3_classify", Precision::kFp32),
      [](Precision) -> absl::StatusOr<Network> {
        return absl::InternalError("loaded");
      },
      []() -> absl::StatusOr<Calibration> {
        return absl::InternalError("calibrated");
      },
      {});
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->served->precision().used, Precision::kFp32);
  EXPECT_EQ(network->fp32, nullptr);
  EXPECT_EQ(network->note, "");
  EXPECT_FALSE(network->agreement.has_value());
}

TEST(ChooseNetworksTest, ServesWhatPassesAndKeepsFp32IfAllowed) {
  PrecisionPolicy policy = {.wanted = Precision::kInt8,
                            .thresholds = {.min_label_agreement = 0.5}};
  auto network = Choose(policy, LoadGolden);
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->served->precision().used, Precision::kInt8);
  EXPECT_EQ(network->fp32, nullptr);
  ASSERT_TRUE(network->agreement.has_value());
  EXPECT_EQ(network->agreement->labels, 60u);
  EXPECT_GT(network->agreement->max_logit_change, 0);
  EXPECT_THAT(network->note, HasSubstr("int8 is served"));

  policy.keep_fp32 = true;
  network = Choose(policy, LoadGolden);
  ASSERT_TRUE(network.ok()) << network.status();
  ASSERT_NE(network->fp32, nullptr);
  EXPECT_EQ(network->fp32->precision().used, Precision::kFp32);
}

TEST(ChooseNetworksTest, OtherLabelsThanFp32KeepItFromBeingServed) {
  const ChangedClassifier other(
      [](uint16_t number) { return static_cast<uint16_t>(number ^ 0x8000); });
  for (const WantedPrecision wanted :
       {WantedPrecision(Precision::kInt8), WantedPrecision(std::nullopt)}) {
    const auto network = Choose(
        {.wanted = wanted, .keep_fp32 = true},
        [&](Precision precision) { return Load(other.path(), precision); });
    ASSERT_TRUE(network.ok()) << network.status();
    EXPECT_EQ(network->served->precision().used, Precision::kFp32);
    EXPECT_EQ(network->fp32, nullptr);
    EXPECT_FALSE(network->agreement.has_value());
    EXPECT_FALSE(network->note.empty());
  }
}

TEST(ChooseNetworksTest, NumbersThatAreNotFiniteKeepItFromBeingServed) {
  const ChangedClassifier other([](uint16_t) { return uint16_t{0x7E00}; });
  const auto network = Choose(
      {.wanted = Precision::kInt8, .thresholds = {.min_label_agreement = 0}},
      [&](Precision precision) { return Load(other.path(), precision); });
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->served->precision().used, Precision::kFp32);
  EXPECT_THAT(network->note,
              AllOf(HasSubstr("finite"), HasSubstr("fp32 is served")));
}

// int8 works without instructions of its own, bf16 does not.
TEST(ChooseNetworksTest, AutoMeasuresWhatTheProcessorHas) {
  const auto network =
      Choose({.wanted = std::nullopt, .thresholds = {.min_label_agreement = 0}},
             LoadGolden);
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_THAT(network->note, HasSubstr("int8: "));
  EXPECT_EQ(network->note.find("bf16: ") != std::string::npos,
            model::HasBf16Products());
  EXPECT_EQ(network->agreement.has_value(),
            network->served->precision().used != Precision::kFp32);
}

TEST(ChooseNetworksTest, SaysWhichInstructionsAreMissing) {
  if (model::HasBf16Products()) GTEST_SKIP() << "the processor has bf16";
  const auto network = Choose({.wanted = Precision::kBf16}, LoadGolden);
  ASSERT_TRUE(network.ok()) << network.status();
  EXPECT_EQ(network->served->precision().used, Precision::kFp32);
  EXPECT_THAT(network->note, HasSubstr("AVX512_BF16"));
}

TEST(ChooseNetworksTest, ErrorsOfLoadingAndOfTheTextsAreReturned) {
  const PrecisionPolicy policy = {.wanted = Precision::kInt8};
  EXPECT_TRUE(absl::IsNotFound(Choose(policy, [](Precision) {
                                 return absl::StatusOr<Network>(
                                     absl::NotFoundError("gone"));
                               }).status()));
  const auto network = ChooseNetworks(
      Golden("v3_classify", Precision::kFp32), LoadGolden,
      []() -> absl::StatusOr<Calibration> {
        return absl::InvalidArgumentError("calibration[0]: bad");
      },
      policy);
  EXPECT_TRUE(absl::IsInvalidArgument(network.status()));
}

}  // namespace
}  // namespace deberta::server
