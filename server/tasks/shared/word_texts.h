// Texts that are cut into words, and the windows of words that models over
// words read of them, in order.

#ifndef SERVER_TASKS_SHARED_WORD_TEXTS_H_
#define SERVER_TASKS_SHARED_WORD_TEXTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/tasks/shared/task.h"
#include "server/tasks/shared/word_plan.h"
#include "tokenizer/text/span.h"
#include "tokenizer/tokenizer.h"

namespace deberta::server {

// How a package cuts words, and as what it reads them.
enum class WordStyle {
  kGliner,
  kGliner2,  // in lower case
};

class WordTexts {
 public:
  // An input; what its result does not need is emptied by Forget().
  struct Text {
    std::vector<tokenizer::Span> words;
    std::vector<int32_t> ids;    // of its tokens
    std::vector<uint32_t> ends;  // [words]: tokens up to the end of each
    WordPlan plan;               // no windows without words

    size_t TokensBefore(size_t word) const {
      return word == 0 ? 0 : ends[word - 1];
    }
  };
  // Words [begin, end) of an input.
  struct Window {
    size_t input = 0;
    size_t index = 0;  // of the input's
    size_t begin = 0;
    size_t end = 0;
    size_t words() const { return end - begin; }
  };

  // Reads a text, the next; an InputError about its field where it is none, or
  // the rule refuses it.
  absl::Status Add(std::string_view input, WordStyle style,
                   const WordRule& rule, const tokenizer::Tokenizer& tokenizer);
  // A text without words is read too, in one empty window. REQUIRES: it is the
  // last that was added.
  void ReadBlank(size_t fixed_tokens);

  size_t size() const { return texts_.size(); }
  const Text& operator[](size_t input) const { return texts_[input]; }
  std::vector<Coverage> coverage() const;
  size_t tokens() const { return tokens_; }      // of all texts
  size_t computed() const { return computed_; }  // of all sequences
  size_t longest() const { return longest_; }    // most tokens of a sequence

  // The next window to compute; none after the last.
  std::optional<Window> Next();
  // The first whose output was not taken yet; none if none is computed.
  std::optional<Window> Current() const;
  // Its output was taken.
  void Take();
  // Inputs whose windows are all taken.
  size_t taken() const;

  // Keeps its coverage. REQUIRES: input < taken().
  void Forget(size_t input);

 private:
  // A window; past the last one, `input` is the number of texts.
  struct Place {
    size_t input = 0;
    size_t window = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  // `place`, or the first window after it.
  Place From(Place place) const;
  Window At(Place place) const;

  std::vector<Text> texts_;
  size_t tokens_ = 0;
  size_t computed_ = 0;
  size_t longest_ = 0;
  Place next_;
  Place taken_;
};

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_WORD_TEXTS_H_
