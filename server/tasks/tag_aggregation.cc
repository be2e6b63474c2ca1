#include "server/tasks/tag_aggregation.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "server/tasks/shared/scores.h"

namespace deberta::server {
namespace {

// A token or a word with its label.
struct Element {
  size_t label = 0;
  float score = 0;
  tokenizer::Span span;
};

struct Tag {
  bool begins;  // "B-"
  std::string_view type;
};

// A label in neither form continues, as "I-" would.
Tag ParseTag(std::string_view label) {
  const bool begins = label.starts_with("B-");
  if (begins || label.starts_with("I-")) label.remove_prefix(2);
  return {begins, label};
}

// What a group is called: the label after its first "-".
std::string_view GroupLabel(std::string_view label) {
  const size_t dash = label.find('-');
  return dash == std::string_view::npos ? label : label.substr(dash + 1);
}

Element FromToken(const TaggedToken& token) {
  const size_t label = ArgMax(token.scores);
  return {label, token.scores[label], token.span};
}

// REQUIRES: `word` is not empty.
Element FromWord(std::span<const TaggedToken> word, Aggregation aggregation) {
  Element element = FromToken(word[0]);
  if (aggregation == Aggregation::kMax) {
    for (const TaggedToken& token : word) {
      const Element other = FromToken(token);
      if (other.score > element.score) element = other;
    }
  } else if (aggregation == Aggregation::kAverage) {
    std::vector<float> mean(word[0].scores.size());
    for (const TaggedToken& token : word) {
      for (size_t i = 0; i < mean.size(); ++i) mean[i] += token.scores[i];
    }
    for (float& score : mean) score /= static_cast<float>(word.size());
    element.label = ArgMax(mean);
    element.score = mean[element.label];
  }
  element.span = {word.front().span.start, word.back().span.end};
  return element;
}

std::vector<Element> Words(std::span<const TaggedToken> tokens,
                           Aggregation aggregation) {
  std::vector<Element> words;
  size_t begin = 0;
  while (begin < tokens.size()) {
    size_t end = begin + 1;
    while (end < tokens.size() && tokens[end].is_subword) ++end;
    words.push_back(FromWord(tokens.subspan(begin, end - begin), aggregation));
    begin = end;
  }
  return words;
}

std::vector<TaggedSpan> Group(std::span<const Element> elements,
                              std::span<const std::string> labels) {
  std::vector<TaggedSpan> groups;
  size_t begin = 0;
  while (begin < elements.size()) {
    const std::string_view first = labels[elements[begin].label];
    const std::string_view type = ParseTag(first).type;
    double sum = static_cast<double>(elements[begin].score);
    size_t end = begin + 1;
    for (; end < elements.size(); ++end) {
      const Tag tag = ParseTag(labels[elements[end].label]);
      if (tag.begins || tag.type != type) break;
      sum += static_cast<double>(elements[end].score);
    }
    groups.push_back(
        {.label = std::string(GroupLabel(first)),
         .score = static_cast<float>(sum / static_cast<double>(end - begin)),
         .span = {elements[begin].span.start, elements[end - 1].span.end}});
    begin = end;
  }
  return groups;
}

}  // namespace

std::vector<TaggedSpan> AggregateTags(std::span<const TaggedToken> tokens,
                                      Aggregation aggregation,
                                      std::span<const std::string> labels) {
  if (aggregation == Aggregation::kNone) {
    std::vector<TaggedSpan> spans;
    spans.reserve(tokens.size());
    for (const TaggedToken& token : tokens) {
      const Element element = FromToken(token);
      spans.push_back({.label = labels[element.label],
                       .score = element.score,
                       .span = element.span,
                       .token_index = token.token_index});
    }
    return spans;
  }
  if (aggregation != Aggregation::kSimple) {
    return Group(Words(tokens, aggregation), labels);
  }
  std::vector<Element> elements;
  elements.reserve(tokens.size());
  for (const TaggedToken& token : tokens) {
    elements.push_back(FromToken(token));
  }
  return Group(elements, labels);
}

}  // namespace deberta::server
