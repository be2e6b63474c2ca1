// What tests of loading and serving models share.

#ifndef TESTS_SERVER_ENGINE_FIXTURE_H_
#define TESTS_SERVER_ENGINE_FIXTURE_H_

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/engine.h"

namespace deberta::server {

inline constexpr char kGolden[] = DEBERTA_SOURCE_DIR "/tests/golden/";

// A Unigram tokenizer of [PAD] [CLS] [SEP] [UNK] and ten letters, for the
// golden models' vocabulary of 120.
inline constexpr char kTokenizer[] = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [
    {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false,
     "rstrip": false, "normalized": false, "special": true},
    {"id": 1, "content": "[CLS]", "single_word": false, "lstrip": false,
     "rstrip": false, "normalized": false, "special": true},
    {"id": 2, "content": "[SEP]", "single_word": false, "lstrip": false,
     "rstrip": false, "normalized": false, "special": true},
    {"id": 3, "content": "[UNK]", "single_word": false, "lstrip": false,
     "rstrip": false, "normalized": true, "special": true}],
  "normalizer": {"type": "Sequence", "normalizers": [
    {"type": "Strip", "strip_left": true, "strip_right": true}]},
  "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always",
     "split": true}]},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
               {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
             {"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "[SEP]", "type_id": 0}},
             {"Sequence": {"id": "B", "type_id": 1}},
             {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
    "special_tokens": {
      "[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
      "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
  "decoder": {"type": "Metaspace", "replacement": "▁",
              "prepend_scheme": "always", "split": true},
  "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": false, "vocab": [
    ["[PAD]", 0.0], ["[CLS]", 0.0], ["[SEP]", 0.0], ["[UNK]", 0.0],
    ["▁", -1.0], ["a", -2.0], ["b", -2.0], ["c", -2.0], ["d", -2.0],
    ["e", -2.0], ["f", -2.0], ["g", -2.0], ["h", -2.0], ["i", -2.0]]}
})";

// A directory of its own for each test.
class EngineTest : public testing::Test {
 protected:
  EngineTest()
      : root_(testing::TempDir() + "/engine_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()),
        log_file_(std::tmpfile()),
        log_(fileno(log_file_)) {
    std::filesystem::remove_all(root_);
  }
  ~EngineTest() override {
    std::fclose(log_file_);
    std::filesystem::remove_all(root_);
  }

  // A golden model without a tokenizer.
  std::string CopyModel(const std::string& name) {
    const std::string directory = root_ + "/" + name;
    std::filesystem::create_directories(directory);
    for (const char* file : {"config.json", "model.safetensors"}) {
      std::filesystem::copy_file(
          std::string(kGolden) + "models/" + name + "/" + file,
          directory + "/" + file);
    }
    return directory;
  }

  std::string CopyModelWithTokenizer(const std::string& name) {
    const std::string directory = CopyModel(name);
    std::ofstream(directory + "/tokenizer.json") << kTokenizer;
    return directory;
  }

  // The golden models' weights are random: their labels prove nothing.
  struct Asked {
    WantedPrecision precision = model::Precision::kFp32;
    AgreementThresholds thresholds = {.min_label_agreement = 0};
    bool keep_fp32 = false;
  };

  absl::StatusOr<std::unique_ptr<Engine>> Load(
      std::vector<ModelSource> models) {
    return Load(std::move(models), Asked());
  }
  absl::StatusOr<std::unique_ptr<Engine>> Load(std::vector<ModelSource> models,
                                               const Asked& asked) {
    return Engine::Load(
        {.models = std::move(models),
         .loading = {.threads = 2,
                     .precision = {.wanted = asked.precision,
                                   .thresholds = asked.thresholds,
                                   .keep_fp32 = asked.keep_fp32}},
         .listen = {},
         .metrics_listen = {},
         .tokens_file = "",
         .threads = 2,
         .workers = 2,
         .threads_per_worker = 1,
         .max_batch_tokens = 64,
         .max_batch_wait = absl::ZeroDuration(),
         .max_queue_tokens = 1024,
         .max_request_bytes = 1 << 20,
         .max_call_time = absl::Seconds(60),
         .drain_time = absl::ZeroDuration()},
        [this](const Scheduler::BatchReport& report) {
          last_report_ = report.queue;
        },
        &log_);
  }

  // Runs one sequence; what the observer was told is then in last_report_.
  std::vector<float> Logits(Engine& engine, size_t queue) {
    std::promise<absl::StatusOr<JobOutput>> done;
    Job job;
    job.sequences = {
        {.ids = {1, 5, 6, 2}, .type_ids = {0, 0, 0, 0}, .rows = {0}}};
    job.done = [&](absl::StatusOr<JobOutput> output) {
      done.set_value(std::move(output));
    };
    EXPECT_TRUE(engine.scheduler().Submit(queue, std::move(job)).ok());
    const absl::StatusOr<JobOutput> output = done.get_future().get();
    EXPECT_TRUE(output.ok()) << output.status();
    return output.ok() ? output->sequences.at(0).values : std::vector<float>();
  }

  std::string LogText() {
    EXPECT_TRUE(log_.Flush(absl::Seconds(60)));
    std::rewind(log_file_);
    std::string log(1 << 16, '\0');
    log.resize(std::fread(log.data(), 1, log.size(), log_file_));
    return log;
  }

  std::string ErrorOf(const std::string& directory) {
    const auto engine = Load({{.name = "m", .directory = directory}});
    EXPECT_FALSE(engine.ok());
    return std::string(engine.status().message());
  }

  const std::string root_;
  std::FILE* const log_file_;
  Log log_;
  std::atomic<size_t> last_report_ = 0;
};

}  // namespace deberta::server

#endif  // TESTS_SERVER_ENGINE_FIXTURE_H_
