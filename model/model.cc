#include "model/model.h"

#include <algorithm>
#include <limits>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "model/check_batch.h"
#include "model/encoder.h"
#include "model/enhanced_mask_decoder.h"
#include "model/heads.h"
#include "model/label_network.h"
#include "model/layers/relative_position.h"
#include "model/rows.h"
#include "model/sequence_pooling.h"
#include "model/weight_reader.h"

namespace deberta::model {
namespace {

// Tokens of the longest sequence that there are positions for.
uint64_t LongestSequence(const Config& config) {
  uint64_t longest = std::numeric_limits<uint64_t>::max();
  if (config.position_biased_input) {
    longest = static_cast<uint64_t>(config.max_position_embeddings);
  }
  if (config.c2p || config.p2c) {
    const auto reach = RelativePosition(config).FindReach();
    if (!reach.saturated) {
      longest = std::min(longest, static_cast<uint64_t>(reach.offset) + 1);
    }
  }
  return longest;
}

// Copies what `batch` wants of earlier layers than the last into `hidden`
// [hidden_rows, width], then tells `observer`.
LayerObserver TakeEarlierLayers(const RaggedBatch& batch, size_t width,
                                const LayerObserver& observer,
                                std::vector<float>* hidden) {
  hidden->resize(batch.hidden_rows.size() * width);
  return [&batch, width, &observer, hidden](int64_t layer,
                                            std::span<const float> values) {
    for (size_t i = 0; i < batch.hidden_rows.size(); ++i) {
      if (batch.hidden_layers[i] != layer) continue;
      std::copy_n(values.data() + batch.hidden_rows[i] * width, width,
                  hidden->data() + i * width);
    }
    if (observer) observer(layer, values);
  };
}

}  // namespace

struct Model::Parts {
  std::shared_ptr<const Checkpoint> checkpoint;
  PrecisionChoice precision;
  std::string products;
  Weights weights;
  HeldTensor words;  // the embeddings
  Encoder encoder;
  std::optional<EnhancedMaskDecoder> decoder;
  HeadLayers head;
  std::unique_ptr<const LabelNetwork> label_network;  // null: none
  uint64_t longest = 0;                               // sequence, in tokens
  uint64_t shared_bytes = 0;

  // Up to what enters the last layer; see Encoder::ForwardToLast. `layers`
  // takes what every layer gives, where the label network reads it; `options`
  // is changed for that.
  std::vector<size_t> Start(const RaggedBatch& batch, Workspace& workspace,
                            ForwardOptions* options,
                            std::vector<float>* layers) const;
  // From the last layer on, after that of just this batch's sequences.
  void Finish(const RaggedBatch& batch, Workspace& workspace,
              BatchOutput* output, const ForwardOptions& options,
              const std::vector<float>& layers) const;
  // Both leave what the head reads in workspace.head, and the hidden states
  // that the batch asks for in `output`.
  void RunLast(const RaggedBatch& batch, Workspace& workspace,
               BatchOutput* output, const LayerObserver& observer,
               const std::vector<float>& layers) const;
  void RunLastAndDecode(const RaggedBatch& batch, Workspace& workspace,
                        BatchOutput* output,
                        const LayerObserver& observer) const;
  // Forward() of a batch that wants hidden states of earlier layers.
  void ForwardWithLayers(const RaggedBatch& batch, Workspace& workspace,
                         BatchOutput* output,
                         const ForwardOptions& options) const;
  void ReleaseCheckpoint() const;
  // Logits of the first `rows` of workspace.head, tile by tile.
  void HandOutLogits(size_t rows, Workspace& workspace,
                     const ForwardOptions& options) const;
};

std::vector<size_t> Model::Parts::Start(const RaggedBatch& batch,
                                        Workspace& workspace,
                                        ForwardOptions* options,
                                        std::vector<float>* layers) const {
  if (label_network != nullptr && label_network->reads_layers() &&
      !batch.readings.empty()) {
    const size_t floats = batch.tokens() * encoder.last_layer().width();
    layers->resize(weights.layers.size() * floats);
    *options = CollectLayers(*options, floats, layers);
  }
  return encoder.ForwardToLast(batch, workspace, options->observer,
                               options->still_wanted);
}

void Model::Parts::Finish(const RaggedBatch& batch, Workspace& workspace,
                          BatchOutput* output, const ForwardOptions& options,
                          const std::vector<float>& layers) const {
  const size_t width = encoder.last_layer().width();
  const size_t logit_rows = batch.logit_rows.size();
  output->hidden_width = width;
  output->hidden.resize(batch.hidden_rows.size() * width);
  output->logit_width = options.take_logits ? 0 : head.width();
  output->logits.resize(logit_rows * output->logit_width);
  workspace.head.Reserve(Linear::PaddedRows(logit_rows) * width);
  if (decoder.has_value() && logit_rows > 0) {
    RunLastAndDecode(batch, workspace, output, options.observer);
  } else {
    RunLast(batch, workspace, output, options.observer, layers);
  }
  if (options.take_logits) {
    HandOutLogits(logit_rows, workspace, options);
  } else if (logit_rows > 0) {
    head.Forward(workspace.head.get(), logit_rows, output->logits.data(),
                 workspace);
  }
}

void Model::Parts::ForwardWithLayers(const RaggedBatch& batch,
                                     Workspace& workspace, BatchOutput* output,
                                     const ForwardOptions& options) const {
  const size_t width = encoder.last_layer().width();
  std::vector<float> earlier;
  std::vector<float> layers;
  ForwardOptions all = options;
  all.observer = TakeEarlierLayers(batch, width, options.observer, &earlier);
  all.still_wanted = nullptr;  // rows stay where they are
  Start(batch, workspace, &all, &layers);
  // Nobody looks at the last layer, so it is computed for the rows read alone.
  if (layers.empty()) all.observer = options.observer;
  Finish(batch, workspace, output, all, layers);
  for (size_t i = 0; i < batch.hidden_rows.size(); ++i) {
    if (batch.hidden_layers[i] >= weights.layers.size()) continue;
    std::copy_n(earlier.data() + i * width, width,
                output->hidden.data() + i * width);
  }
}

void Model::Parts::RunLast(const RaggedBatch& batch, Workspace& workspace,
                           BatchOutput* output, const LayerObserver& observer,
                           const std::vector<float>& layers) const {
  const size_t width = output->hidden_width;
  const bool adds_first = weights.head.head == Head::kReplacedTokenDetection;
  const bool pools = weights.head.pooling != SequencePooling::kFirst;
  const std::vector<std::vector<uint32_t>> pooled =
      pools ? PooledRows(batch, weights.head.pooling, weights.head.marker)
            : std::vector<std::vector<uint32_t>>();
  const std::vector<uint32_t> first =
      adds_first ? FirstRows(batch) : std::vector<uint32_t>();
  std::vector<uint32_t> rows = batch.logit_rows;
  rows.insert(rows.end(), batch.hidden_rows.begin(), batch.hidden_rows.end());
  rows.insert(rows.end(), first.begin(), first.end());
  if (label_network != nullptr) label_network->AddRowsRead(batch, &rows);
  for (const std::vector<uint32_t>& of_one : pooled)
    rows.insert(rows.end(), of_one.begin(), of_one.end());
  rows = SortedUnique(std::move(rows));
  if (observer || rows.size() == batch.tokens()) rows.clear();
  encoder.ForwardLast(batch, rows, workspace, observer);

  const float* hidden = workspace.hidden.get();
  Gather(hidden, rows, batch.hidden_rows, width, output->hidden.data());
  float* head_rows = workspace.head.get();
  for (size_t i = 0; i < pooled.size(); ++i) {
    PoolRows(
        pooled[i], weights.head.pooling,
        [&](uint32_t row) { return hidden + PlaceOf(rows, row) * width; },
        width, head_rows + i * width);
  }
  if (pools) return;
  Gather(hidden, rows, batch.logit_rows, width, head_rows);
  GatherAdd(hidden, rows, first, width, head_rows);
  if (label_network == nullptr || batch.readings.empty()) return;
  label_network->Forward(
      batch, {.rows = rows, .last = workspace.hidden.get(), .layers = layers},
      workspace, output);
}

void Model::Parts::RunLastAndDecode(const RaggedBatch& batch,
                                    Workspace& workspace, BatchOutput* output,
                                    const LayerObserver& observer) const {
  const size_t width = output->hidden_width;
  const std::vector<uint32_t> decoded = SortedUnique(batch.logit_rows);
  std::vector<uint32_t> rows = SortedUnique(batch.hidden_rows);
  const float* hidden = workspace.hidden.get();
  decoder->Start(batch, decoded, hidden, workspace);
  if (rows.empty() && !observer) {
    encoder.last_layer().Project(hidden, batch.tokens(), workspace);
  } else {
    if (observer || rows.size() == batch.tokens()) rows.clear();
    encoder.ForwardLast(batch, rows, workspace, observer);
    Gather(hidden, rows, batch.hidden_rows, width, output->hidden.data());
  }
  decoder->Finish(batch, decoded, encoder.last_layer(), workspace);
  Gather(workspace.query_states.get(), decoded, batch.logit_rows, width,
         workspace.head.get());
}

void Model::Parts::ReleaseCheckpoint() const {
  checkpoint->ReleaseAllBut(words.holder == checkpoint ? words.tensor
                                                       : nullptr);
}

void Model::Parts::HandOutLogits(size_t rows, Workspace& workspace,
                                 const ForwardOptions& options) const {
  if (rows == 0) return;
  const size_t width = head.width();
  // No row is read beyond the last tile's padding: tiles are padded themselves.
  const size_t tile =
      Linear::PaddedRows(std::max(size_t{1}, options.tile_floats / width));
  float* logits = workspace.logits.Reserve(std::min(tile, rows) * width);
  for (size_t first = 0; first < rows; first += tile) {
    const size_t count = std::min(tile, rows - first);
    head.Forward(workspace.head.get() + first * encoder.last_layer().width(),
                 count, logits, workspace);
    workspace.pool().ParallelFor(count, [&](size_t row, int) {
      options.take_logits(first + row, std::span(logits + row * width, width));
    });
  }
}

absl::StatusOr<std::unique_ptr<const Model>> Model::Load(
    const std::string& directory, const Options& options) {
  auto checkpoint = Checkpoint::Open(directory, options.checkpoint);
  if (!checkpoint.ok()) return checkpoint.status();
  return Load(*std::move(checkpoint), options);
}

absl::StatusOr<std::unique_ptr<const Model>> Model::Load(
    std::shared_ptr<const Checkpoint> checkpoint, const Options& options) {
  auto weights =
      BindWeights(*checkpoint, options.fill_mask,
                  options.head.has_value() ? &*options.head : nullptr);
  if (!weights.ok()) return weights.status();
  Workspace workspace(std::max(1, options.load_threads));
  PrecisionChoice precision =
      ChoosePrecision(options.precision, checkpoint->config());
  WeightReader reader(*checkpoint, *weights, precision, options.products,
                      options.shared_weights, workspace, options.observer);
  HeldTensor words = {checkpoint, weights->word_embeddings};
  if (options.shared_weights != nullptr)
    words = options.shared_weights->Share(std::move(words));
  auto encoder = Encoder::Load(*weights, words.tensor, reader);
  if (!encoder.ok()) return encoder.status();
  std::optional<EnhancedMaskDecoder> decoder;
  if (weights->head.decoder_positions != nullptr) {
    decoder.emplace(reader.Read(weights->head.decoder_positions),
                    static_cast<size_t>(reader.config().hidden_size));
  }
  auto head = HeadLayers::Load(weights->head, reader);
  if (!head.ok()) return head.status();
  auto label_network = LabelNetwork::Load(*weights, reader);
  if (!label_network.ok()) return label_network.status();
  const uint64_t longest = LongestSequence(reader.config());
  auto parts = std::make_unique<Parts>(
      Parts{std::move(checkpoint), std::move(precision), reader.products(),
            *std::move(weights), std::move(words), *std::move(encoder),
            std::move(decoder), *std::move(head), *std::move(label_network),
            longest, reader.shared_bytes()});
  if (parts->words.holder != parts->checkpoint)
    parts->shared_bytes += parts->words.tensor->bytes.size();
  if (!options.share_checkpoint) parts->ReleaseCheckpoint();
  return std::unique_ptr<const Model>(new Model(std::move(parts)));
}

Model::Model(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Model::~Model() = default;

absl::Status Model::Forward(const RaggedBatch& batch, Workspace& workspace,
                            BatchOutput* output,
                            const ForwardOptions& options) const {
  absl::Status valid =
      CheckBatch(batch, config(), parts_->longest, logit_width(), label_head());
  if (valid.ok() && parts_->decoder.has_value()) {
    valid = parts_->decoder->Check(batch);
  }
  if (!valid.ok()) return valid;
  if (!batch.hidden_layers.empty()) {
    parts_->ForwardWithLayers(batch, workspace, output, options);
    return absl::OkStatus();
  }
  std::vector<float> layers;
  ForwardOptions narrow = options;
  const std::vector<size_t> left =
      parts_->Start(batch, workspace, &narrow, &layers);
  if (left.empty()) {
    return absl::CancelledError("nobody waits for the batch any more");
  }
  if (left.size() == batch.sequences()) {
    parts_->Finish(batch, workspace, output, narrow, layers);
    return absl::OkStatus();
  }
  if (options.take_logits) {
    narrow.take_logits = [&options,
                          rows = KeptRows(batch, batch.logit_rows, left)](
                             size_t row, std::span<const float> logits) {
      options.take_logits(rows[row], logits);
    };
  }
  parts_->Finish(KeepSequences(batch, left), workspace, output, narrow, layers);
  SpreadOutput(batch, left, output);
  return absl::OkStatus();
}

const PrecisionChoice& Model::precision() const { return parts_->precision; }

const std::string& Model::products() const { return parts_->products; }

const Config& Model::config() const { return parts_->checkpoint->config(); }

Head Model::head() const { return parts_->weights.head.head; }

std::optional<FillMaskDecoder> Model::fill_mask_decoder() const {
  return parts_->weights.head.decoder;
}

const std::vector<std::string>& Model::labels() const {
  return parts_->weights.head.labels;
}

const LabelHead* Model::label_head() const {
  const LabelConfig* config = parts_->checkpoint->label_config();
  return config == nullptr ? nullptr : &HeadOf(*config);
}

size_t Model::logit_width() const { return parts_->head.width(); }

std::vector<size_t> Model::output_columns() const {
  std::vector<size_t> columns;
  for (const LinearWeights& output : parts_->weights.head.outputs)
    columns.push_back(static_cast<size_t>(output.weight->shape[0]));
  return columns;
}

uint64_t Model::longest_sequence() const { return parts_->longest; }

double Model::row_cost() const {
  return RowCost(parts_->weights.head, config());
}

int64_t Model::parameters() const { return parts_->weights.parameters; }

uint64_t Model::resident_bytes() const {
  return parts_->encoder.bytes() + parts_->head.bytes() +
         (parts_->label_network == nullptr ? 0
                                           : parts_->label_network->bytes()) +
         (parts_->decoder.has_value() ? parts_->decoder->bytes() : 0) +
         parts_->weights.word_embeddings->bytes.size();
}

uint64_t Model::shared_bytes() const { return parts_->shared_bytes; }

void Model::ReleaseCheckpoint() const { parts_->ReleaseCheckpoint(); }

std::string_view Model::weights_format() const {
  return parts_->checkpoint->weights_format();
}

const std::string& Model::weights_path() const {
  return parts_->checkpoint->weights_path();
}

const std::vector<std::string>& Model::unexpected_tensors() const {
  return parts_->weights.unexpected;
}

}  // namespace deberta::model
