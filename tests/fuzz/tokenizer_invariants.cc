#include "tests/fuzz/tokenizer_invariants.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/loader.h"
#include "tokenizer/text/lower_case.h"
#include "tokenizer/text/text_index.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"

namespace deberta::tokenizer {
namespace {

constexpr std::string_view kTexts[] = {
    "",
    " The  cat's [MASK] sat,\ton the mat. ",
    "\u0130\u00bd\uff76\uff9e A\u0302\u0300 \u1100\u1161\u11a8\u3000\u200b",
    "[CLS]<0x41>[UNK] \U0001f468\u200d\U0001f469 \u4e2d\u6587 \ufeff",
    std::string_view("\0\x01 aaaaaaaa\r\n\u2581\u2581b", 20),
};

void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

bool IsPythonSpaceOnly(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    if (!IsPythonSpace(DecodeUtf8(text, &i))) return false;
  }
  return true;
}

// The words' texts.
std::vector<std::string_view> CheckCut(const TextIndex& index,
                                       const std::vector<Span>& spans) {
  std::vector<std::string_view> words;
  uint32_t end = 0;
  for (const Span word : spans) {
    Require(end <= word.start && word.start < word.end &&
                word.end <= index.code_points(),
            "words follow each other in the text");
    Require(IsPythonSpaceOnly(index.Text({end, word.start})),
            "white space alone is between words");
    end = word.end;
    words.push_back(index.Text(word));
  }
  Require(IsPythonSpaceOnly(index.Text({end, index.code_points()})),
          "white space alone is behind words");
  return words;
}

// REQUIRES: `text` is UTF-8.
void CheckWords(const Tokenizer& tokenizer, std::string_view text) {
  const TextIndex index(text);
  for (const std::string_view word : CheckCut(index, Gliner2Words(text))) {
    const std::string lower = PythonLower(word);
    Require(!lower.empty() && !FindInvalidUtf8(lower).has_value(),
            "lower case is UTF-8");
  }
  const std::vector<std::string_view> words =
      CheckCut(index, GlinerWords(text));
  const auto tokens = tokenizer.TokenizeWords(words);
  Require(tokens.ok() && tokens->words.size() == tokens->size(),
          "words of a text are texts");
  int32_t last = 0;
  for (const int32_t word : tokens->words) {
    Require(word >= last && static_cast<size_t>(word) < words.size(),
            "tokens are those of words, in order");
    last = word;
  }
}

}  // namespace

void CheckText(const Tokenizer& tokenizer, std::string_view text) {
  const auto tokens = tokenizer.Tokenize(text);
  Require(tokens.ok() == !FindInvalidUtf8(text).has_value(),
          "UTF-8 and nothing else is taken");
  if (!tokens.ok()) return;
  const size_t code_points = CountCodePoints(text);
  Require(tokens->offsets.size() == tokens->size() &&
              tokens->words.size() == tokens->size(),
          "the vectors are parallel");
  int32_t word = 0;
  for (size_t i = 0; i < tokens->size(); ++i) {
    const int32_t id = tokens->ids[i];
    Require(id >= 0 && id < tokenizer.vocab_size(), "ids are in range");
    // A name that is not empty may have no id: version 5 calls a normalized
    // added token by its normalized text, and does not find it by that.
    const auto token = tokenizer.IdToToken(id);
    Require(!token.empty() || tokenizer.TokenToId(token).has_value(),
            "ids have tokens");
    const Span span = tokens->offsets[i];
    Require(span.start <= span.end && span.end <= code_points,
            "spans lie in the text");
    Require(tokens->words[i] >= word, "words do not decrease");
    word = tokens->words[i];
  }
  const Encoding pair = tokenizer.Assemble(*tokens, &*tokens);
  Require(pair.size() == 2 * tokens->size() + tokenizer.template_tokens(true),
          "a pair has the template's tokens too");
  for (const bool skip_special_tokens : {false, true}) {
    Require(!FindInvalidUtf8(tokenizer.Decode(pair.ids, skip_special_tokens)),
            "decoded text is UTF-8");
  }
  CheckWords(tokenizer, text);
}

void CheckFiles(const TokenizerFiles& files, Profile profile) {
  const auto tokenizer = BuildTokenizer(files, {.profile = profile});
  if (!tokenizer.ok()) {
    Require(tokenizer.status().message().size() < 1000, "messages are short");
    return;
  }
  for (const std::string_view text : kTexts) CheckText(**tokenizer, text);
}

}  // namespace deberta::tokenizer
