// GLiNER2's network over the encoder's last hidden states (spec gliner 3.4):
// words against the instances of groups of labels, and classes of the text.

#ifndef MODEL_GLINER2_NETWORK_H_
#define MODEL_GLINER2_NETWORK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "model/checkpoint/gliner2_config.h"
#include "model/instance_queries.h"
#include "model/label_network.h"
#include "model/label_parts.h"
#include "model/span_scorer.h"
#include "model/weights/gliner2_weights.h"

namespace deberta::model {

class Gliner2Network : public LabelNetwork {
 public:
  static absl::StatusOr<std::unique_ptr<const LabelNetwork>> Load(
      const Gliner2Config& config, const Gliner2Weights& weights,
      WeightReader& reader);

  void AddRowsRead(const RaggedBatch& batch,
                   std::vector<uint32_t>* rows) const override;
  void Forward(const RaggedBatch& batch, const Hidden& hidden,
               Workspace& workspace, BatchOutput* output) const override;
  size_t bytes() const override;

 private:
  // A group of one of the sequences.
  struct Group {
    size_t sequence = 0;
    size_t first_label = 0;  // of all sequences'
    size_t labels = 0;
    bool classes = false;
    size_t most_instances = 0;
  };
  // Vectors of all sequences, and where those of each begin.
  struct Vectors {
    std::array<FloatBuffer, 3> buffers;
    float* words = nullptr;                   // [RowsReserved(words), H]
    float* labels = nullptr;                  // [RowsReserved(labels), H]
    float* prompts = nullptr;                 // [PaddedRows(groups), H]
    std::vector<uint32_t> word_starts = {0};  // [sequences + 1]
    std::vector<Group> groups;
  };

  Gliner2Network(const Gliner2Config& config, size_t width)
      : config_(config), width_(width) {}

  // Where the vectors will stand.
  Vectors Lay(const RaggedBatch& batch) const;
  Vectors Gather(const RaggedBatch& batch, const Hidden& hidden) const;
  // [groups]: instances of each; of classes 0.
  std::vector<size_t> Count(const Vectors& vectors, Workspace& workspace) const;
  // [labels]: of those that are no classes, something.
  std::vector<float> ScoreClasses(const Vectors& vectors,
                                  Workspace& workspace) const;

  const Gliner2Config config_;
  const size_t width_;  // H
  std::optional<SpanScorer> spans_;
  std::optional<Mlp> classifier_, counts_;
  std::optional<InstanceQueries> queries_;
};

}  // namespace deberta::model

#endif  // MODEL_GLINER2_NETWORK_H_
