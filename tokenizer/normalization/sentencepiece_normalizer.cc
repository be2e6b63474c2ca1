#include "tokenizer/normalization/sentencepiece_normalizer.h"

#include <utility>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

absl::StatusOr<SentencePieceNormalizer> SentencePieceNormalizer::Create(
    const Options& options) {
  SentencePieceNormalizer normalizer(options);
  if (!options.precompiled_charsmap.empty()) {
    absl::StatusOr<Charsmap> map =
        Charsmap::Parse(options.precompiled_charsmap);
    if (!map.ok()) return map.status();
    normalizer.charsmap_ = *std::move(map);
  }
  return normalizer;
}

SentencePieceNormalizer::SentencePieceNormalizer(const Options& options)
    : space_(options.escape_whitespaces ? "\u2581" : " "),
      add_dummy_prefix_(options.add_dummy_prefix),
      remove_extra_whitespaces_(options.remove_extra_whitespaces),
      whitespace_is_suffix_(options.treat_whitespace_as_suffix) {
  if (!options.user_defined_pieces.empty()) {
    user_defined_.emplace(options.user_defined_pieces);
  }
}

SentencePieceNormalizer::Prefix SentencePieceNormalizer::NormalizePrefix(
    std::string_view text) const {
  if (user_defined_.has_value()) {
    size_t length = 0;
    ByteTrie::Node node = ByteTrie::kRoot;
    for (size_t i = 0; i < text.size(); ++i) {
      node = user_defined_->Child(node, static_cast<unsigned char>(text[i]));
      if (node == ByteTrie::kNone) break;
      if (user_defined_->id(node) != ByteTrie::kNoId) length = i + 1;
    }
    if (length > 0) return {length, text.substr(0, length)};
  }
  if (charsmap_.has_value()) {
    if (const auto match = charsmap_->FindLongest(text)) {
      return {match->length, match->content};
    }
  }
  const size_t length = Utf8Length(text[0]);
  return {length, text.substr(0, length)};
}

void SentencePieceNormalizer::AppendSpace(size_t origin, Output* out) const {
  out->text.append(space_);
  out->origins.resize(out->text.size(), static_cast<uint32_t>(origin));
}

void SentencePieceNormalizer::AppendContent(std::string_view content,
                                            size_t origin, Output* out) const {
  for (const char c : content) {
    if (c == ' ') {
      out->text.append(space_);
    } else {
      out->text.push_back(c);
    }
  }
  out->origins.resize(out->text.size(), static_cast<uint32_t>(origin));
}

size_t SentencePieceNormalizer::StripRight(size_t end, Output* out) const {
  while (out->text.ends_with(space_)) {
    const size_t length = out->text.size() - space_.size();
    end = out->origins[length];
    out->text.resize(length);
    out->origins.resize(length);
  }
  return end;
}

void SentencePieceNormalizer::Normalize(std::string_view text,
                                        Output* out) const {
  out->text.clear();
  out->origins.clear();
  size_t done = 0;
  if (remove_extra_whitespaces_) {
    while (done < text.size()) {
      const Prefix prefix = NormalizePrefix(text.substr(done));
      if (prefix.content != " ") break;
      done += prefix.length;
    }
  }
  if (done == text.size()) return;

  if (add_dummy_prefix_ && !whitespace_is_suffix_) AppendSpace(done, out);
  bool after_space = remove_extra_whitespaces_;
  while (done < text.size()) {
    Prefix prefix = NormalizePrefix(text.substr(done));
    while (after_space && prefix.content.starts_with(' ')) {
      prefix.content.remove_prefix(1);
    }
    if (!prefix.content.empty()) {
      AppendContent(prefix.content, done, out);
      after_space = remove_extra_whitespaces_ && prefix.content.ends_with(' ');
    }
    done += prefix.length;
  }
  if (remove_extra_whitespaces_) done = StripRight(done, out);
  if (add_dummy_prefix_ && whitespace_is_suffix_) AppendSpace(done, out);
  if (!out->text.empty()) out->origins.push_back(static_cast<uint32_t>(done));
}

size_t SentencePieceNormalizer::resident_bytes() const {
  return (charsmap_ ? charsmap_->resident_bytes() : 0) +
         (user_defined_ ? user_defined_->resident_bytes() : 0);
}

}  // namespace deberta::tokenizer
