#include "server/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <string>
#include <utility>

#include "server/models/file_digest.h"
#include "server/models/load_model.h"
#include "tests/server/engine_fixture.h"

namespace deberta::server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST_F(EngineTest, KeepsFp32BesideALowerPrecision) {
  const std::vector<ModelSource> sources = {
      {.name = "labels", .directory = CopyModelWithTokenizer("v3_classify")},
      {.name = "tags", .directory = CopyModelWithTokenizer("v3_tag")}};
  const auto fp32 = Load(sources);
  const auto alone = Load(sources, {.precision = model::Precision::kInt8});
  const auto both =
      Load(sources, {.precision = model::Precision::kInt8, .keep_fp32 = true});
  ASSERT_TRUE(fp32.ok() && alone.ok() && both.ok()) << both.status();
  const ServedModels& models = (*both)->catalog()->models();
  EXPECT_EQ(models[1]->description.precision, "int8");
  EXPECT_EQ(models[1]->description.requested_precision, "int8");
  EXPECT_GT(models[1]->description.agreement.max_logit_change, 0);
  const size_t first_fp32 = models[0]->Fp32Queue().value();
  const size_t second_fp32 = models[1]->Fp32Queue().value();
  EXPECT_FALSE((*alone)->catalog()->models()[1]->description.HasFp32());
  EXPECT_GT(models[1]->description.resident_bytes,
            (*alone)->catalog()->models()[1]->description.resident_bytes);

  EXPECT_EQ(Logits(**both, second_fp32), Logits(**fp32, 1));
  EXPECT_NE(Logits(**both, models[1]->queue), Logits(**fp32, 1));
  // Reports are of models, whatever the queue.
  Logits(**both, first_fp32);
  EXPECT_EQ(last_report_, 0u);
  Logits(**both, second_fp32);
  EXPECT_EQ(last_report_, 1u);
}

TEST_F(EngineTest, PrecisionThatDoesNotPassIsNotServed) {
  const auto engine =
      Load({{.name = "m", .directory = CopyModelWithTokenizer("v3_classify")}},
           {.precision = model::Precision::kInt8,
            .thresholds = {.max_logit_change = 1e-9},
            .keep_fp32 = true});
  ASSERT_TRUE(engine.ok()) << engine.status();
  const ModelDescription& served =
      (*engine)->catalog()->models()[0]->description;
  EXPECT_EQ(served.precision, "fp32");
  EXPECT_EQ(served.requested_precision, "int8");
  EXPECT_THAT(served.precision_note, HasSubstr("--max_logit_change=1e-09"));
  EXPECT_EQ(served.agreement.label_agreement(), 1);
  EXPECT_FALSE(served.keeps_fp32);
  EXPECT_TRUE(served.HasFp32());
  EXPECT_THAT(LogText(), AllOf(HasSubstr("\"warning\""),
                               HasSubstr(served.precision_note)));
}

TEST_F(EngineTest, DebertaJsonBringsTheTextsToCompareOn) {
  const std::string directory = CopyModelWithTokenizer("v3_classify");
  const Asked int8 = {.precision = model::Precision::kInt8};
  std::ofstream(directory + "/deberta.json")
      << R"({"calibration": ["abc", {"text": "a", "text_pair": "b"}]})";
  ASSERT_TRUE(Load({{.name = "m", .directory = directory}}, int8).ok());
  EXPECT_THAT(LogText(), HasSubstr("\"inputs\":2"));
  std::ofstream(directory + "/deberta.json")
      << R"({"calibration": [{"text": "a", "choices": ["b"]}]})";
  const auto engine = Load({{.name = "m", .directory = directory}}, int8);
  EXPECT_THAT(std::string(engine.status().message()),
              AllOf(HasSubstr(directory),
                    HasSubstr("deberta.json: calibration[0]: expected no")));
}

TEST_F(EngineTest, LoadsSeveralModelsAndComputes) {
  const auto engine = Load(
      {{.name = "labels", .directory = CopyModelWithTokenizer("v3_classify")},
       {.name = "tags", .directory = CopyModelWithTokenizer("v3_tag")}});
  ASSERT_TRUE(engine.ok()) << engine.status();
  const ServedModels& models = (*engine)->catalog()->models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0]->description.name, "labels");
  EXPECT_EQ(models[0]->description.family, "deberta-v2");
  EXPECT_THAT(
      models[0]->description.tasks,
      ElementsAre(TaskKind::kClassify, TaskKind::kZeroShot, TaskKind::kEncode));
  EXPECT_THAT(models[0]->task_model.labels,
              ElementsAre("contradiction", "entailment"));
  EXPECT_EQ(models[0]->task_model.max_tokens, 24u);
  EXPECT_EQ(models[0]->description.hidden_size, 32);
  EXPECT_EQ(models[0]->description.layers, 2);
  EXPECT_EQ(models[0]->description.weights_format, "safetensors");
  EXPECT_EQ(models[0]->description.tokenizer_profile, "hf4");
  EXPECT_EQ(models[0]->description.fill_mask_decoder, "");
  EXPECT_EQ(models[0]->description.sha256.size(), 64u);
  EXPECT_GT(models[0]->description.parameters, 0);
  EXPECT_GT(models[0]->description.resident_bytes, 0u);
  EXPECT_THAT(models[1]->description.tasks,
              ElementsAre(TaskKind::kTagTokens, TaskKind::kEncode));

  model::RaggedBatch batch;
  batch.ids = {1, 5, 6, 2};
  batch.type_ids = {0, 0, 0, 0};
  batch.starts = {0, 4};
  batch.logit_rows = {0};
  model::BatchOutput direct;
  model::Workspace workspace(1);
  ASSERT_TRUE((*engine)
                  ->catalog()
                  ->models()[0]
                  ->network->Forward(batch, workspace, &direct)
                  .ok());
  EXPECT_EQ(Logits(**engine, 0), direct.logits);
}

TEST_F(EngineTest, HeadsSayWhatTheyDo) {
  const auto engine = Load(
      {{.name = "choices", .directory = CopyModelWithTokenizer("v3_choose")},
       {.name = "replaced",
        .directory = CopyModelWithTokenizer("v3_discriminator")},
       {.name = "labels", .directory = CopyModelWithTokenizer("v1_classify")}});
  ASSERT_TRUE(engine.ok()) << engine.status();
  const std::shared_ptr<const Catalog> snapshot = (*engine)->catalog();
  const Catalog& catalog = *snapshot;
  const ServedModels& models = catalog.models();
  EXPECT_THAT(models[0]->description.tasks,
              ElementsAre(TaskKind::kClassify, TaskKind::kEncode));
  EXPECT_TRUE(models[0]->task_model.multiple_choice);
  EXPECT_FALSE(models[2]->task_model.multiple_choice);
  EXPECT_THAT(models[1]->description.tasks,
              ElementsAre(TaskKind::kTagTokens, TaskKind::kEncode));
  EXPECT_THAT(models[1]->task_model.labels,
              ElementsAre("ORIGINAL", "REPLACED"));
  EXPECT_EQ(models[1]->task_model.ignored_label, "ORIGINAL");
  EXPECT_EQ(models[2]->task_model.ignored_label, "O");

  const auto filler = catalog.Find("replaced", TaskKind::kFillMask);
  EXPECT_TRUE(absl::IsFailedPrecondition(filler.status()));
  EXPECT_THAT(std::string(filler.status().message()),
              HasSubstr("pytorch_model.generator.bin"));
  const auto judge = catalog.Find("labels", TaskKind::kZeroShot);
  EXPECT_TRUE(absl::IsFailedPrecondition(judge.status()));
  EXPECT_THAT(std::string(judge.status().message()),
              HasSubstr("no label of its config.json's label2id begins"));
}

// It was served, and answered INTERNAL to every call.
TEST_F(EngineTest, ModelsThatFailTheirSelfTestAreNotServed) {
  for (const char* name :
       {"v3_classify", "v3_tag", "v3_answer", "v3_choose", "v3_discriminator",
        "v1_absolute_fill", "v1_no_relative"}) {
    const std::string directory = CopyModelWithTokenizer(name);
    EXPECT_TRUE(Load({{.name = "m", .directory = directory}}).ok()) << name;
    const std::string path = directory + "/model.safetensors";
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    uint64_t header = 0;
    file.read(reinterpret_cast<char*>(&header), sizeof(header));
    const size_t begin = sizeof(header) + header;
    file.seekp(static_cast<std::streamoff>(begin));
    // Bits that are all set are NaN, in fp32 and in fp16.
    file << std::string(std::filesystem::file_size(path) - begin, '\xff')
         << std::flush;
    for (const model::Precision precision :
         {model::Precision::kFp32, model::Precision::kInt8}) {
      const auto engine = Load({{.name = "m", .directory = directory}},
                               {.precision = precision});
      EXPECT_EQ(engine.status().code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(engine.status().message()),
                  HasSubstr("numbers that are not finite (NaN)"));
    }
  }
}

TEST_F(EngineTest, DebertaJsonChoosesTheDecoder) {
  const auto decoder = [&](const std::string& directory) {
    const auto engine = Load({{.name = "m", .directory = directory}});
    EXPECT_TRUE(engine.ok()) << engine.status();
    return (*engine)->catalog()->models()[0]->description.fill_mask_decoder;
  };
  const std::string directory = CopyModelWithTokenizer("v3_pretrained_fill");
  EXPECT_EQ(decoder(directory), "emd");
  std::ofstream(directory + "/deberta.json") << R"({"fill_mask": "plain"})";
  EXPECT_EQ(decoder(directory), "plain");
  std::ofstream(directory + "/deberta.json") << R"({"fill_mask": "best"})";
  EXPECT_THAT(ErrorOf(directory),
              AllOf(HasSubstr(directory), HasSubstr("deberta.json"),
                    HasSubstr("fill_mask: expected emd, plain or legacy")));
}

TEST_F(EngineTest, DebertaJsonGoesBeforeTheProfileFlag) {
  const std::string directory = CopyModelWithTokenizer("v3_classify");
  const auto profile = [&] {
    const auto model =
        LoadModel({.name = "m", .directory = directory},
                  {.tokenizer_profile = tokenizer::Profile::kHf5}, &log_);
    EXPECT_TRUE(model.ok()) << model.status();
    return model->description.tokenizer_profile;
  };
  EXPECT_EQ(profile(), "hf5");
  std::ofstream(directory + "/deberta.json")
      << R"({"tokenizer_profile": "hf4"})";
  EXPECT_EQ(profile(), "hf4");
}

TEST_F(EngineTest, ADirectorySavedByVersion5AnswersAsVersion5) {
  const std::string directory = CopyModelWithTokenizer("v3_classify");
  std::ofstream(directory + "/tokenizer_config.json")
      << R"({"backend": "tokenizers"})";
  const auto model =
      LoadModel({.name = "m", .directory = directory}, {}, &log_);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(model->description.tokenizer_profile, "hf5");
  EXPECT_THAT(LogText(), HasSubstr("\"tokenizer_profile\":\"hf5\""));
  EXPECT_THAT(LogText(), HasSubstr("which transformers 5 writes"));
}

TEST_F(EngineTest, WeightsThatAreNotAllowedAreNotRead) {
  const auto model = LoadModel(
      {.name = "m", .directory = CopyModelWithTokenizer("v3_classify")},
      {.allowed_weights = {model::WeightsFormat::kTorch}}, &log_);
  EXPECT_TRUE(absl::IsNotFound(model.status())) << model.status();
  EXPECT_THAT(std::string(model.status().message()),
              HasSubstr("model.safetensors"));
}

TEST_F(EngineTest, TellsTheDigestOfTheWeightsOrOfTheirIndex) {
  const std::string whole = CopyModelWithTokenizer("v3_classify");
  const std::string sharded = root_ + "/sharded";
  std::filesystem::copy(std::string(kGolden) + "models/v1_embed_proj_fill",
                        sharded);
  std::ofstream(sharded + "/tokenizer.json") << kTokenizer;
  for (const auto& [directory, file] :
       {std::pair(whole, "/model.safetensors"),
        std::pair(sharded, "/model.safetensors.index.json")}) {
    const auto model =
        LoadModel({.name = "m", .directory = directory}, {}, &log_);
    ASSERT_TRUE(model.ok()) << model.status();
    const auto weights = model::LoadedFile::Read(directory + file);
    ASSERT_TRUE(weights.ok()) << weights.status();
    Sha256 sha256;
    sha256.Add(weights->bytes());
    EXPECT_EQ(model->description.sha256, sha256.Finish());
    EXPECT_GT(model->description.load_time, absl::ZeroDuration());
    EXPECT_EQ(model->task_model.row_cost, model->network->row_cost());
  }
}

TEST_F(EngineTest, DirectoryWithoutATokenizerIsNamed) {
  const std::string directory = CopyModel("v3_classify");
  const std::string error = ErrorOf(directory);
  EXPECT_THAT(error, HasSubstr(directory));
  EXPECT_THAT(error, HasSubstr("tokenizer.json"));
}

TEST_F(EngineTest, MissingDirectoryIsNamed) {
  EXPECT_THAT(ErrorOf(root_ + "/none"), HasSubstr(root_ + "/none"));
  EXPECT_THAT(ErrorOf("microsoft/deberta-v3-base"),
              AllOf(HasSubstr("model m (microsoft/deberta-v3-base): no such"),
                    HasSubstr("hf download")));
}

TEST_F(EngineTest, TokenizerOfAnotherModelIsRefused) {
  const std::string directory = CopyModel("v3_classify");
  for (const char* file : {"tokenizer.json", "tokenizer_config.json"}) {
    std::filesystem::copy_file(
        std::string(kGolden) + "tokenizers/v3-lower/" + file,
        directory + "/" + file);
  }
  EXPECT_THAT(ErrorOf(directory), HasSubstr("vocab_size is 120"));
}

TEST_F(EngineTest, TensorsThatNothingUsesAreLogged) {
  const std::string directory = CopyModelWithTokenizer("v3_classify");
  std::ostringstream config;
  config << std::ifstream(directory + "/config.json").rdbuf();
  std::string text = config.str();
  const std::string two_layers = "\"num_hidden_layers\": 2";
  ASSERT_NE(text.find(two_layers), std::string::npos);
  text.replace(text.find(two_layers), two_layers.size(),
               "\"num_hidden_layers\": 1");
  std::ofstream(directory + "/config.json") << text;

  ASSERT_TRUE(Load({{.name = "short", .directory = directory}}).ok());
  const std::string log = LogText();
  EXPECT_THAT(log, HasSubstr("\"warning\""));
  EXPECT_THAT(log, HasSubstr("encoder.layer.1.output.dense.weight"));
}

TEST_F(EngineTest, AModelIsReplacedBesideThoseWhoHoldTheOldOne) {
  const auto loaded =
      Load({{.name = "a", .directory = CopyModelWithTokenizer("v3_classify")},
            {.name = "b", .directory = CopyModelWithTokenizer("v3_tag")}});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  Engine& engine = **loaded;
  const std::shared_ptr<const Catalog> before = engine.catalog();
  const std::vector<float> logits = Logits(engine, before->models()[0]->queue);

  auto next =
      LoadModel({.name = "a", .directory = root_ + "/v3_classify"}, {}, &log_);
  ASSERT_TRUE(next.ok()) << next.status();
  std::shared_ptr<const ServedModel> hosted = engine.Host(*std::move(next));
  EXPECT_EQ(engine.catalog(), before) << "hosted, not served";
  EXPECT_EQ(Logits(engine, hosted->queue), logits);
  engine.Serve(hosted);
  const std::shared_ptr<const Catalog> after = engine.catalog();
  EXPECT_EQ(after->models()[0], hosted);
  EXPECT_EQ(after->models()[1], before->models()[1]);
  EXPECT_EQ(hosted->number, before->models()[0]->number);
  EXPECT_NE(hosted->queue, before->models()[0]->queue);
  // Who found the old one still asks it.
  EXPECT_EQ(Logits(engine, before->models()[0]->queue), logits);
  EXPECT_EQ(last_report_, hosted->number);

  engine.Remove("a");
  EXPECT_TRUE(absl::IsNotFound(engine.catalog()->Find("a").status()));
  EXPECT_EQ(Logits(engine, hosted->queue), logits);
  engine.Remove("b");
  EXPECT_TRUE(absl::IsNotFound(engine.catalog()->Find("").status()));
}

TEST_F(EngineTest, AModelThatNobodyHoldsLeavesItsQueueToAnother) {
  const auto loaded =
      Load({{.name = "a", .directory = CopyModelWithTokenizer("v3_classify")}});
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  Engine& engine = **loaded;
  const size_t first = engine.catalog()->models()[0]->queue;
  for (int turn = 0; turn < 4; ++turn) {
    auto next = LoadModel({.name = "a", .directory = root_ + "/v3_classify"},
                          {}, &log_);
    ASSERT_TRUE(next.ok()) << next.status();
    engine.Serve(engine.Host(*std::move(next)));
    const size_t queue = engine.catalog()->models()[0]->queue;
    EXPECT_EQ(queue, turn % 2 == 0 ? first + 1 : first);
    Logits(engine, queue);
  }
}

TEST_F(EngineTest, AModelThatDoesNotFitIsNotLoaded) {
  const std::string directory = CopyModelWithTokenizer("v3_classify");
  const absl::Status status =
      LoadModel({.name = "m", .directory = directory},
                {.memory_bytes = size_t{1} << 20}, &log_)
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("of the cgroup's limit of 1048576"));
}

}  // namespace
}  // namespace deberta::server
