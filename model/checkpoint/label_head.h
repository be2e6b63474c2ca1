// Heads that read labels of the caller's own, from tokens of the prompt: those
// of GLiNER, GLiClass and GLiNER2. What a task has to know of one.

#ifndef MODEL_CHECKPOINT_LABEL_HEAD_H_
#define MODEL_CHECKPOINT_LABEL_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deberta::model {

// What the head gives of a sequence (BatchOutput::word_logits), by the
// WordReading that it is given.
enum class LabelHeadKind {
  // GLiNER's span models: [words][max_span_words][labels], the logit of the
  // span from word i to word i + k; the lowest float past the last word.
  kSpans,
  // GLiNER's token models: [words][labels][3], logits of start, end, inside.
  kTokens,
  // The same with represent_spans: [words][labels][3], and then, of every span
  // that ForEachCandidateSpan() finds in these by the reading's thresholds,
  // once,
  // ascending by first and then by last word: [2 + labels], its first and its
  // last word, and its logits.
  kTokensAndSpans,
  // GLiClass: [labels]. The reading's only word is what is read of the text.
  kClasses,
  // GLiNER2: of each of the reading's groups in turn, if it is of classes
  // [labels]; else how many instances the head counts (0 to 19), and then of
  // each of these, but no more than the group's most_instances, as kSpans.
  kGroups,
};

struct LabelHead {
  LabelHeadKind kind = LabelHeadKind::kSpans;
  // For people: "gliner markerV0", "gliner token_level", "gliclass mlp",
  // "gliner2 count_lstm".
  std::string architecture = {};

  // Words of a text that the model was trained to read (max_len); 0: any
  // number.
  size_t max_words = 0;
  // Tokens of a sequence that the package reads; 0: any number.
  size_t max_tokens = 0;
  // Words of the longest span (max_width); 0: any number, and without spans.
  size_t max_span_words = 0;

  // The token before each label, and the one between labels and text. The
  // tokenizer finds both in a text by themselves.
  std::string label_token = {};
  int32_t label_token_id = -1;
  std::string separator_token = {};
  int32_t separator_token_id = -1;  // kClasses only
  // WordReading::labels are the label tokens themselves; else the token after
  // each.
  bool reads_label_token = true;
  // Further tokens of prompts, which the tokenizer must have.
  std::vector<std::string> prompt_tokens = {};

  // kClasses: whether the labels stand before the text, else behind it; whether
  // the mean of all tokens of a label is read, up to the next label's or to the
  // end; whether of the text only what follows the separator, and whether the
  // tokens' types are 1 from that on.
  bool labels_first = true;
  bool averages_labels = false;
  bool reads_from_separator = false;
  bool marks_separator = false;

  // The head's work in tokens of the encoder's: on each word, on each label,
  // and on each pair of the two.
  double word_cost = 0;
  double label_cost = 0;
  double pair_cost = 0;

  // SequenceInput::head_tokens.
  size_t HeadTokens(size_t words, size_t labels) const {
    const auto w = static_cast<double>(words);
    const auto l = static_cast<double>(labels);
    return static_cast<size_t>(w * word_cost + l * label_cost +
                               w * l * pair_cost);
  }
};

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_LABEL_HEAD_H_
