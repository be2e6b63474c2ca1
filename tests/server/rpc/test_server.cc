#include "tests/server/rpc/test_server.h"

#include <gtest/gtest.h>

#include "google/rpc/status.pb.h"
#include "tests/server/batching/stand_in_model.h"
#include "tokenizer/loader.h"

namespace deberta::server {
namespace {

struct ModelShape {
  std::string name;
  TaskKind task;
  std::vector<std::string> labels;
  bool multiple_choice = false;
  bool reads_labels = false;
  bool reads_groups = false;
};

std::vector<ModelShape> Shapes(const TestServer::Settings& settings) {
  std::vector<ModelShape> shapes = {
      {"labels", TaskKind::kClassify, {"LONG", "SHORT"}},
      {"tagger", TaskKind::kTagTokens, {"B-X", "O"}},
      {"reader", TaskKind::kAnswerQuestion, {"0", "1"}},
      {"filler", TaskKind::kFillMask, {}}};
  if (settings.second_classifier)
    shapes.push_back({"labels-2", TaskKind::kClassify, {"A", "B"}});
  if (settings.judge) {
    shapes.push_back({"judge", TaskKind::kZeroShot, {"ENTAILMENT", "OTHER"}});
    shapes.push_back({"chooser", TaskKind::kClassify, {"LABEL_0"}, true});
  }
  if (settings.extractor) {
    shapes.push_back(
        {"extractor", TaskKind::kExtractEntities, {}, false, true});
    shapes.push_back({"ranker", TaskKind::kRerank, {"LABEL_0"}});
  }
  if (settings.schemer) {
    shapes.push_back({.name = "schemer",
                      .task = TaskKind::kExtractStructured,
                      .labels = {},
                      .reads_groups = true});
  }
  return shapes;
}

}  // namespace

TestServer::TestServer(const Settings& settings) {
  auto tokenizer = tokenizer::LoadTokenizer(
      std::string(DEBERTA_SOURCE_DIR "/tests/golden/tokenizers/v1"));
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  tokenizer_ = *std::move(tokenizer);
  label_head_ = {.kind = model::LabelHeadKind::kSpans,
                 .architecture = "gliner markerV0",
                 .max_words = 8,
                 .max_span_words = 2,
                 .label_token_id = *tokenizer_->TokenToId("[MASK]"),
                 .separator_token = "[SEP]"};
  group_head_ = {.kind = model::LabelHeadKind::kGroups,
                 .architecture = "gliner2 count_lstm",
                 .max_span_words = 2};
  ServedModels models;
  std::vector<size_t> widths;
  std::optional<size_t> fp32_width;
  for (const ModelShape& shape : Shapes(settings)) {
    auto config = std::make_unique<model::Config>();
    config->vocab_size = tokenizer_->vocab_size();
    config->hidden_size = kHiddenSize;
    config->labels = shape.labels;
    ServedModel model;
    model.description.name = shape.name;
    if (shape.name == "tagger") {
      model.description.precision = settings.tagger_precision;
      model.description.keeps_fp32 = settings.keep_fp32;
      if (settings.keep_fp32) {
        fp32_width = shape.labels.size();
        model.fp32_queue = Shapes(settings).size();
      }
    }
    model.description.family = "deberta";
    model.description.tasks = {shape.task, TaskKind::kEncode};
    model.task_model = {
        .tokenizer = tokenizer_.get(),
        .config = config.get(),
        .labels = config->labels,
        .entailment = 0,
        .max_tokens = shape.reads_groups ? kMaxGroupTokens : kMaxTokens,
        .multiple_choice = shape.multiple_choice,
        .label_head = shape.reads_labels   ? &label_head_
                      : shape.reads_groups ? &group_head_
                                           : nullptr};
    model.description.refusals[TaskKind::kZeroShot] =
        "no label begins with \"entail\"";
    widths.push_back(shape.labels.empty()
                         ? static_cast<size_t>(config->vocab_size)
                         : shape.labels.size());
    configs_.push_back(std::move(config));
    model.number = model.queue = models.size();
    models.push_back(std::make_shared<const ServedModel>(std::move(model)));
  }
  if (fp32_width.has_value()) widths.push_back(*fp32_width);
  catalog_.Set(std::make_shared<const Catalog>(std::move(models)));
  StartScheduler(settings, widths);
  StartService(settings);
  if (settings.serve) Serve();
}

void TestServer::StartScheduler(const Settings& settings,
                                const std::vector<size_t>& widths) {
  scheduler_ = std::make_unique<Scheduler>(
      Scheduler::Options{.max_batch_tokens = settings.max_batch_tokens,
                         .max_queue_tokens = settings.max_queue_tokens},
      widths.size(),
      [this, widths, after = settings.after_batch](
          size_t queue, const model::RaggedBatch& batch,
          const model::ForwardOptions& options, model::Workspace&,
          model::BatchOutput* output) {
        const absl::Status status =
            RunBatch(queue, batch, widths[queue], output);
        HandOut(options, output);
        after();
        return status;
      },
      [](const Scheduler::BatchReport&) {});
}

void TestServer::StartService(const Settings& settings) {
  service_ = std::make_unique<Service>(Service::Options{
      .max_call_time = settings.max_call_time,
      .authenticator = settings.authenticator,
      .observer =
          [this, before = settings.before_report](const RequestReport& report) {
            before();
            const std::lock_guard lock(mutex_);
            reports_.push_back(report);
            changed_.notify_all();
          }});
  Listener::Options options = {.address = {.host = "127.0.0.1"}};
  if (settings.others != nullptr) options.others = settings.others(&*service_);
  auto listener = Listener::Start(options, service_.get());
  EXPECT_TRUE(listener.ok()) << listener.status();
  listener_ = *std::move(listener);
  stub_ = v1::DebertaService::NewStub(
      listener_->server().InProcessChannel(grpc::ChannelArguments()));
}

TestServer::~TestServer() {
  Release();
  listener_->Stop(absl::InfiniteDuration());
}

void TestServer::Hold() {
  const std::lock_guard lock(mutex_);
  hold_ = true;
}

void TestServer::Release() {
  const std::lock_guard lock(mutex_);
  hold_ = false;
  changed_.notify_all();
}

void TestServer::WaitUntilHeld() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return held_ > 0; });
}

int TestServer::batches() const {
  const std::lock_guard lock(mutex_);
  return batches_;
}

size_t TestServer::last_queue() const {
  const std::lock_guard lock(mutex_);
  return last_queue_;
}

std::vector<RequestReport> TestServer::reports() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

void TestServer::WaitForReports(size_t count) const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return reports_.size() >= count; });
}

absl::Status TestServer::RunBatch(size_t queue, const model::RaggedBatch& batch,
                                  size_t logit_width,
                                  model::BatchOutput* output) {
  {
    std::unique_lock lock(mutex_);
    ++batches_;
    last_queue_ = queue;
    ++held_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !hold_; });
    --held_;
  }
  output->logit_width = logit_width;
  output->hidden_width = kHiddenSize;
  output->hidden.assign(batch.hidden_rows.size() * kHiddenSize, 1.0f);
  output->logits.assign(batch.logit_rows.size() * logit_width, 0.0f);
  for (size_t i = 0; i < batch.logit_rows.size(); ++i) {
    size_t sequence = 0;
    while (batch.starts[sequence + 1] <= batch.logit_rows[i]) ++sequence;
    output->logits[i * logit_width] =
        static_cast<float>(batch.starts[sequence + 1] - batch.starts[sequence]);
  }
  output->word_logits.clear();
  for (const auto& reading : batch.readings) {
    output->word_logits.push_back(reading == nullptr ? std::vector<float>()
                                                     : WordLogits(*reading));
  }
  return absl::OkStatus();
}

std::vector<float> TestServer::WordLogits(
    const model::WordReading& reading) const {
  // Both heads have spans of as many words.
  const auto spans = [&](size_t labels) {
    const size_t row = label_head_.max_span_words * labels;
    std::vector<float> logits(reading.word_begins.size() * row, -20);
    for (size_t word = 0; word < reading.word_begins.size(); ++word) {
      logits[word * row + word % labels] = 1;
    }
    return logits;
  };
  if (reading.groups.empty()) return spans(reading.labels.size());
  std::vector<float> values;
  for (const model::LabelGroup& group : reading.groups) {
    if (group.most_instances == 0) {
      values.resize(values.size() + group.labels);
      continue;
    }
    values.push_back(1);
    const std::vector<float> of_group = spans(group.labels);
    values.insert(values.end(), of_group.begin(), of_group.end());
  }
  return values;
}

v1::ClassifyRequest ClassifyText(const std::string& text) {
  v1::ClassifyRequest request;
  request.add_inputs()->set_text(text);
  return request;
}

std::string ErrorDetails::field() const {
  return bad_request.field_violations_size() == 1
             ? bad_request.field_violations(0).field()
             : "";
}

ErrorDetails DetailsOf(const grpc::Status& status) {
  google::rpc::Status proto;
  EXPECT_TRUE(proto.ParseFromString(status.error_details()));
  EXPECT_EQ(proto.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(proto.message(), status.error_message());
  ErrorDetails details;
  for (const google::protobuf::Any& any : proto.details()) {
    any.UnpackTo(&details.info);
    any.UnpackTo(&details.bad_request);
    details.has_retry |= any.UnpackTo(&details.retry);
  }
  return details;
}

}  // namespace deberta::server
