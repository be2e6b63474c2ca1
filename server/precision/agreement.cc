#include "server/precision/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/batching/packing.h"
#include "server/tasks/shared/scores.h"

namespace deberta::server {
namespace {

constexpr size_t kMaxBatchTokens = 1024;
// Rows of a vocabulary are wide: 16 MiB of logits a batch, unless one input
// alone has more.
constexpr size_t kMaxBatchValues = size_t{1} << 22;

using Values = std::span<const float>;

size_t Tokens(const CalibrationInput& input) {
  size_t tokens = 0;
  for (const SequenceInput& sequence : input.sequences)
    tokens += sequence.ids.size();
  return tokens;
}

size_t Rows(const CalibrationInput& input) {
  size_t rows = 0;
  for (const SequenceInput& sequence : input.sequences)
    rows += sequence.rows.size();
  return rows;
}

void Append(const CalibrationInput& input, model::RaggedBatch* batch) {
  for (const SequenceInput& sequence : input.sequences)
    AppendSequence(sequence, batch);
}

std::vector<float> Column(Values values, size_t width, size_t column) {
  std::vector<float> out;
  for (size_t i = column; i < values.size(); i += width)
    out.push_back(values[i]);
  return out;
}

double Cosine(Values a, Values b) {
  double dot = 0;
  double norm_a = 0;
  double norm_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    dot += x * y;
    norm_a += x * x;
    norm_b += y * y;
  }
  if (norm_a == 0 && norm_b == 0) return 1;
  return dot / std::sqrt(norm_a * norm_b);
}

double LargestChange(Values a, Values b) {
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i]))
      return std::numeric_limits<double>::infinity();
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) -
                                         static_cast<double>(b[i])));
  }
  return largest;
}

// What two models gave of inputs of which words and labels are read.
absl::Status CompareWordLogits(const model::BatchOutput& fp32,
                               const model::BatchOutput& other, LabelRule rule,
                               Agreement* agreement) {
  for (size_t s = 0; s < fp32.word_logits.size(); ++s) {
    const std::vector<float>& a = fp32.word_logits[s];
    const std::vector<float>& b = other.word_logits[s];
    if (a.size() != b.size())
      return absl::InternalError("the models to compare have different heads");
    // Of classes the best of all is what callers see.
    const size_t width =
        rule == LabelRule::kBestOfRow ? std::max(a.size(), size_t{1}) : 1;
    CompareInput(rule, a, b, width, agreement);
  }
  return absl::OkStatus();
}

// What a model gives of one batch, whichever of its outputs is asked for.
struct Answers {
  Values values;
  size_t width = 0;
};

absl::StatusOr<Answers> Run(const model::Model& model,
                            const model::RaggedBatch& batch,
                            model::Workspace& workspace,
                            model::BatchOutput* output) {
  if (absl::Status s = model.Forward(batch, workspace, output); !s.ok())
    return s;
  if (batch.hidden_rows.empty())
    return Answers{output->logits, output->logit_width};
  return Answers{output->hidden, output->hidden_width};
}

// Compares inputs from `*next` on, as many as a batch holds.
absl::Status CompareBatch(const model::Model& fp32, const model::Model& other,
                          const Calibration& calibration, size_t* next,
                          model::Workspace& workspace, Agreement* agreement) {
  const std::vector<CalibrationInput>& inputs = calibration.inputs;
  const size_t first = *next;
  const size_t width = std::max(fp32.logit_width(), size_t{1});
  model::RaggedBatch batch;
  size_t values = 0;
  do {
    values += Rows(inputs[*next]) * width;
    Append(inputs[(*next)++], &batch);
  } while (*next < inputs.size() &&
           batch.tokens() + Tokens(inputs[*next]) <= kMaxBatchTokens &&
           values + Rows(inputs[*next]) * width <= kMaxBatchValues);

  model::BatchOutput fp32_output;
  model::BatchOutput other_output;
  const absl::StatusOr<Answers> a = Run(fp32, batch, workspace, &fp32_output);
  if (!a.ok()) return a.status();
  const absl::StatusOr<Answers> b = Run(other, batch, workspace, &other_output);
  if (!b.ok()) return b.status();
  if (!batch.readings.empty()) {
    return CompareWordLogits(fp32_output, other_output, calibration.rule,
                             agreement);
  }
  if (a->width != b->width || a->values.size() != b->values.size())
    return absl::InternalError("the models to compare have different heads");
  size_t begin = 0;
  for (size_t i = first; i < *next; ++i) {
    const size_t size = Rows(inputs[i]) * a->width;
    CompareInput(calibration.rule, a->values.subspan(begin, size),
                 b->values.subspan(begin, size), a->width, agreement);
    begin += size;
  }
  return absl::OkStatus();
}

}  // namespace

double Agreement::label_agreement() const {
  return labels == 0
             ? 1.0
             : static_cast<double>(agreeing) / static_cast<double>(labels);
}

void CompareInput(LabelRule rule, Values fp32, Values other, size_t width,
                  Agreement* agreement) {
  const auto count = [&](bool agrees) {
    ++agreement->labels;
    agreement->agreeing += agrees ? 1 : 0;
  };
  ++agreement->inputs;
  agreement->max_logit_change =
      std::max(agreement->max_logit_change, LargestChange(fp32, other));
  switch (rule) {
    case LabelRule::kNone:
      return;
    case LabelRule::kBestOfRow:
      for (size_t i = 0; i < fp32.size(); i += width) {
        count(ArgMax(fp32.subspan(i, width)) ==
              ArgMax(other.subspan(i, width)));
      }
      return;
    case LabelRule::kBestOfColumn:
      for (size_t column = 0; column < width; ++column) {
        count(ArgMax(Column(fp32, width, column)) ==
              ArgMax(Column(other, width, column)));
      }
      return;
    case LabelRule::kSides:
      for (size_t i = 0; i < fp32.size(); ++i)
        count((fp32[i] > 0) == (other[i] > 0));
      return;
    case LabelRule::kFound:
      for (size_t i = 0; i < fp32.size(); ++i) {
        if (fp32[i] > 0 || other[i] > 0) count(fp32[i] > 0 && other[i] > 0);
      }
      return;
    case LabelRule::kDirection:
      for (size_t i = 0; i < fp32.size(); i += width) {
        count(Cosine(fp32.subspan(i, width), other.subspan(i, width)) >=
              kLeastCosine);
      }
      return;
  }
}

absl::StatusOr<Agreement> CompareModels(const model::Model& fp32,
                                        const model::Model& other,
                                        const Calibration& calibration,
                                        model::Workspace& workspace) {
  Agreement agreement;
  for (size_t next = 0; next < calibration.inputs.size();) {
    if (absl::Status s = CompareBatch(fp32, other, calibration, &next,
                                      workspace, &agreement);
        !s.ok()) {
      return s;
    }
  }
  return agreement;
}

std::string WhyTooFar(const Agreement& agreement,
                      const AgreementThresholds& thresholds) {
  if (!std::isfinite(agreement.max_logit_change))
    return "not every logit is a finite number";
  std::string why;
  if (agreement.label_agreement() < thresholds.min_label_agreement) {
    why =
        absl::StrFormat("the share of labels is below --min_label_agreement=%g",
                        thresholds.min_label_agreement);
  }
  if (thresholds.max_logit_change > 0 &&
      agreement.max_logit_change > thresholds.max_logit_change) {
    absl::StrAppend(&why, why.empty() ? "" : " and ",
                    absl::StrFormat("the change is above --max_logit_change=%g",
                                    thresholds.max_logit_change));
  }
  return why;
}

model::RaggedBatch FirstInputs(const Calibration& calibration,
                               size_t max_tokens) {
  model::RaggedBatch batch;
  for (const CalibrationInput& input : calibration.inputs) {
    if (batch.tokens() > 0 && batch.tokens() + Tokens(input) > max_tokens)
      break;
    Append(input, &batch);
  }
  return batch;
}

}  // namespace deberta::server
