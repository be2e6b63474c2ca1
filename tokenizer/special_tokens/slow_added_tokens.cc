#include "tokenizer/special_tokens/slow_added_tokens.h"

#include <algorithm>
#include <utility>

#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/unicode.h"
#include "tokenizer/text/words.h"

namespace deberta::tokenizer {
namespace {

// Bytes of white space at the start.
size_t SpaceBefore(std::string_view text) {
  size_t end = 0;
  for (size_t i = 0; i < text.size(); end = i) {
    if (!IsPythonSpace(DecodeUtf8(text, &i))) break;
  }
  return end;
}

// Bytes without the white space at the end.
size_t WithoutSpaceAfter(std::string_view text) {
  size_t end = text.size();
  for (size_t i = end; i > 0; end = i) {
    if (!IsPythonSpace(DecodeUtf8Before(text, &i))) break;
  }
  return end;
}

void Resize(NormalizedText* text, size_t size) {
  text->text.resize(size);
  text->spans.resize(size);
}

void RemovePrefix(NormalizedText* text, size_t size) {
  text->text.erase(0, size);
  text->spans.erase(text->spans.begin(),
                    text->spans.begin() + static_cast<std::ptrdiff_t>(size));
}

void Append(const NormalizedText& tail, NormalizedText* text) {
  text->text.append(tail.text);
  text->spans.insert(text->spans.end(), tail.spans.begin(), tail.spans.end());
}

TokenFinder::Contents IdsOf(std::span<const AddedToken> tokens) {
  TokenFinder::Contents ids;
  for (const AddedToken& token : tokens) ids[token.content] = token.id;
  return ids;
}

// Those that the lower-casing spares.
TokenFinder::Contents CaseKept(const SlowAddedTokens::Options& options) {
  TokenFinder::Contents ids;
  for (const auto* contents : {&options.named, &options.additional}) {
    for (const std::string& content : *contents) {
      if (!content.empty()) ids[content] = 0;
    }
  }
  for (const AddedToken& token : options.tokens) {
    if (!token.special && token.normalized) ids[token.content] = 0;
  }
  return ids;
}

}  // namespace

SlowAddedTokens::SlowAddedTokens(const Options& options,
                                 int32_t vocabulary_entries)
    : ids_(IdsOf(options.tokens)), all_(ids_), case_kept_(CaseKept(options)) {
  for (const AddedToken& token : options.tokens) tokens_[token.id] = token;
  special_.insert(options.named.begin(), options.named.end());
  special_.insert(options.additional.begin(), options.additional.end());
  for (const auto& [content, id] : ids_) {
    if (!special_.contains(content)) apart_.insert(content);
  }
  for (const std::string& content : options.additional) {
    const auto found = ids_.find(content);
    if (found != ids_.end() && found->second >= vocabulary_entries) {
      apart_.insert(content);
    }
  }
}

NormalizedText SlowAddedTokens::NormalizeBetween(
    std::string_view text, const Segmenter& segmenter) const {
  NormalizedText out;
  uint32_t code_point = 0;
  for (size_t done = 0; done < text.size();) {
    TextPiece kept = case_kept_.Find(text, done);
    if (kept.id < 0) {
      if (done == 0) return segmenter.Normalize(text, 0);
      kept.begin = kept.end = text.size();
    }
    const std::string_view between = text.substr(done, kept.begin - done);
    Append(segmenter.Normalize(between, code_point), &out);
    code_point += static_cast<uint32_t>(CountCodePoints(between));
    for (size_t i = kept.begin; i < kept.end; ++code_point) {
      const size_t next = i + Utf8Length(text[i]);
      out.text.append(text.substr(i, next - i));
      out.spans.resize(out.text.size(), {code_point, code_point + 1});
      i = next;
    }
    done = kept.end;
  }
  return out;
}

std::vector<SlowAddedTokens::Stretch> SlowAddedTokens::Cut(
    NormalizedText text) const {
  std::vector<Stretch> stretches;
  TextPiece found = all_.Find(text.text, 0);
  if (found.id < 0) {
    if (!text.text.empty()) stretches.push_back({-1, std::move(text)});
    return stretches;
  }
  const auto add = [&](int32_t id, size_t begin, size_t end) {
    if (begin == end) return;
    stretches.push_back(
        {id,
         {.text = text.text.substr(begin, end - begin),
          .spans = {text.spans.data() + begin, text.spans.data() + end}}});
  };
  size_t done = 0;
  for (; found.id >= 0; found = all_.Find(text.text, done)) {
    add(-1, done, found.begin);
    add(found.id, found.begin, found.end);
    done = found.end;
  }
  add(-1, done, text.text.size());
  return stretches;
}

void SlowAddedTokens::Join(std::vector<Stretch>* stretches) const {
  for (size_t i = 0; i < stretches->size(); ++i) {
    Stretch& stretch = (*stretches)[i];
    if (stretch.id < 0) continue;
    const AddedToken& token = tokens_.find(stretch.id)->second;
    Stretch* left = i > 0 ? &(*stretches)[i - 1] : nullptr;
    Stretch* right = i + 1 < stretches->size() ? &stretch + 1 : nullptr;
    if (left != nullptr && left->text.text.empty()) left = nullptr;
    // What stands beside the token is judged before it is stripped.
    const bool beside_left = left != nullptr && left->text.text.back() != ' ';
    const bool beside_right =
        right != nullptr && right->text.text.front() != ' ';
    if (token.rstrip && right != nullptr) {
      RemovePrefix(&right->text, SpaceBefore(right->text.text));
    }
    if (token.lstrip && left != nullptr) {
      Resize(&left->text, WithoutSpaceAfter(left->text.text));
    }
    if (!token.single_word || (!beside_left && !beside_right)) continue;
    if (beside_left) {
      Append(stretch.text, &left->text);
      left->id = -1;
    } else {
      Append(right->text, &stretch.text);
      right->text = std::move(stretch.text);
      right->id = -1;
    }
    stretch = {};
  }
  std::erase_if(*stretches,
                [](const Stretch& s) { return s.text.text.empty(); });
  // What was joined may spell a token.
  for (Stretch& stretch : *stretches) {
    if (stretch.id >= 0) continue;
    const auto found = ids_.find(stretch.text.text);
    if (found != ids_.end()) stretch.id = found->second;
  }
}

std::vector<SlowAddedTokens::Stretch> SlowAddedTokens::Split(
    std::string_view text, const Segmenter& segmenter) const {
  std::vector<Stretch> stretches = Cut(NormalizeBetween(text, segmenter));
  Join(&stretches);
  return stretches;
}

bool SlowAddedTokens::IsSpecial(std::string_view token) const {
  return special_.contains(ToAbsl(token));
}

std::string SlowAddedTokens::DecodePieces(
    std::span<const std::string_view> tokens,
    const Segmenter& segmenter) const {
  std::string out;
  bool after_special = false;
  size_t begin = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const bool special = IsSpecial(tokens[i]);
    if (special) {
      if (!after_special) out.push_back(' ');
      out.append(segmenter.Decode(tokens.subspan(begin, i - begin)));
      out.append(tokens[i]);
      begin = i + 1;
    }
    after_special = special;
  }
  out.append(segmenter.Decode(tokens.subspan(begin)));
  out.resize(WithoutSpaceAfter(out));
  out.erase(0, SpaceBefore(out));
  return out;
}

std::string SlowAddedTokens::Decode(std::span<const std::string_view> tokens,
                                    const Segmenter& segmenter) const {
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!apart_.contains(ToAbsl(tokens[i]))) continue;
    std::string part =
        DecodePieces(tokens.subspan(begin, i - begin), segmenter);
    if (!part.empty()) parts.push_back(std::move(part));
    parts.emplace_back(tokens[i]);
    begin = i + 1;
  }
  if (begin < tokens.size()) {
    parts.push_back(DecodePieces(tokens.subspan(begin), segmenter));
  }
  std::string out;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out.push_back(' ');
    out.append(parts[i]);
  }
  return out;
}

size_t SlowAddedTokens::resident_bytes() const {
  return tokens_.size() * (sizeof(AddedToken) + 3 * sizeof(std::string)) +
         all_.resident_bytes() + case_kept_.resident_bytes();
}

}  // namespace deberta::tokenizer
