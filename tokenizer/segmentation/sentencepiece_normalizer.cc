#include "tokenizer/segmentation/sentencepiece_normalizer.h"

#include <utility>

#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {

absl::StatusOr<SpmNormalizer> SpmNormalizer::Create(const SpmModel& model) {
  SpmNormalizer normalizer(model);
  if (!model.precompiled_charsmap.empty()) {
    absl::StatusOr<Charsmap> map = Charsmap::Parse(model.precompiled_charsmap);
    if (!map.ok()) return map.status();
    normalizer.charsmap_ = *std::move(map);
  }
  return normalizer;
}

SpmNormalizer::SpmNormalizer(const SpmModel& model)
    : space_(model.escape_whitespaces ? "\u2581" : " "),
      add_dummy_prefix_(model.add_dummy_prefix),
      remove_extra_whitespaces_(model.remove_extra_whitespaces),
      whitespace_is_suffix_(model.treat_whitespace_as_suffix) {
  std::vector<std::string_view> user_defined;
  for (const SpmModel::Piece& piece : model.pieces) {
    if (piece.type == SpmModel::PieceType::kUserDefined) {
      user_defined.push_back(piece.text);
    }
  }
  if (!user_defined.empty()) user_defined_.emplace(user_defined);
}

SpmNormalizer::Prefix SpmNormalizer::NormalizePrefix(
    std::string_view text) const {
  if (user_defined_.has_value()) {
    size_t length = 0;
    PieceTrie::Node node = PieceTrie::kRoot;
    for (size_t i = 0; i < text.size(); ++i) {
      node = user_defined_->Child(node, static_cast<unsigned char>(text[i]));
      if (node == PieceTrie::kNone) break;
      if (user_defined_->id(node) != PieceTrie::kNoId) length = i + 1;
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

void SpmNormalizer::AppendSpace(size_t origin, Output* out) const {
  out->text.append(space_);
  out->origins.resize(out->text.size(), static_cast<uint32_t>(origin));
}

void SpmNormalizer::AppendContent(std::string_view content, size_t origin,
                                  Output* out) const {
  for (const char c : content) {
    if (c == ' ') {
      out->text.append(space_);
    } else {
      out->text.push_back(c);
    }
  }
  out->origins.resize(out->text.size(), static_cast<uint32_t>(origin));
}

size_t SpmNormalizer::StripRight(size_t end, Output* out) const {
  while (out->text.ends_with(space_)) {
    const size_t length = out->text.size() - space_.size();
    end = out->origins[length];
    out->text.resize(length);
    out->origins.resize(length);
  }
  return end;
}

void SpmNormalizer::Normalize(std::string_view text, Output* out) const {
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

size_t SpmNormalizer::resident_bytes() const {
  return (charsmap_ ? charsmap_->resident_bytes() : 0) +
         (user_defined_ ? user_defined_->resident_bytes() : 0);
}

}  // namespace deberta::tokenizer
