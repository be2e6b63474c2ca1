#include "tokenizer/special_tokens/added_tokens.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text/absl_view.h"
#include "tokenizer/text/excerpt.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

bool EndsWithWord(std::string_view text) {
  size_t end = text.size();
  return !text.empty() && IsWordCharacter(DecodeUtf8Before(text, &end));
}

bool StartsWithWord(std::string_view text) {
  size_t begin = 0;
  return !text.empty() && IsWordCharacter(DecodeUtf8(text, &begin));
}

// Moves `end` left over white space, down to `limit`.
size_t SkipWhiteSpaceBefore(std::string_view text, size_t limit, size_t end) {
  while (end > limit) {
    size_t before = end;
    if (!IsWhiteSpace(DecodeUtf8Before(text, &before))) break;
    end = before;
  }
  return end;
}

size_t SkipWhiteSpaceAfter(std::string_view text, size_t begin) {
  while (begin < text.size()) {
    size_t after = begin;
    if (!IsWhiteSpace(DecodeUtf8(text, &after))) break;
    begin = after;
  }
  return begin;
}

}  // namespace

struct AddedTokens::Builder {
  absl::Status Add(const AddedToken& token, const Segmenter& segmenter);
  // What it was looked for as.
  void Forget(const AddedToken& token);

  bool from_0_23 = false;
  absl::flat_hash_map<int32_t, AddedToken> tokens;
  Contents ids;
  Contents raw;         // what to look for in the text as it is,
  Contents normalized;  // and in normalised text
  absl::flat_hash_map<int32_t, std::string> names;  // in normalised text
};

absl::Status AddedTokens::Builder::Add(const AddedToken& token,
                                       const Segmenter& segmenter) {
  if (token.content.empty() || FindInvalidUtf8(token.content) || token.id < 0 ||
      token.id == std::numeric_limits<int32_t>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat("added token ", token.id,
                     ": expected a non-empty UTF-8 content and an id >= 0"));
  }
  const auto [id, new_content] = ids.try_emplace(token.content, token.id);
  const auto [known, new_id] = tokens.try_emplace(token.id, token);
  if (id->second != token.id || known->second.content != token.content) {
    return absl::InvalidArgumentError(absl::StrCat(
        "added token \"", Excerpt(token.content), "\" with id ", token.id,
        ": the id or the content belongs to another added token"));
  }
  const bool special_before = !new_id && known->second.special;
  if (!new_id && from_0_23) Forget(known->second);
  known->second = token;
  // The library never takes a token off its list of special ones.
  known->second.special = token.special || special_before;
  if (special_before && !from_0_23) return absl::OkStatus();
  std::string pattern = token.content;
  if (token.normalized) {
    pattern = segmenter.Normalize(pattern, 0).text;
    if (pattern != token.content) names.insert_or_assign(token.id, pattern);
  }
  if (pattern.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("added token ", token.id,
                     ": nothing is left of it after normalisation; expected "
                     "\"normalized\": false or another content"));
  }
  const auto [at, is_new] = (token.normalized ? normalized : raw)
                                .try_emplace(std::move(pattern), token.id);
  // Of two that look the same once normalised a special one goes first.
  if (!is_new && token.special && !tokens.at(at->second).special)
    at->second = token.id;
  return absl::OkStatus();
}

void AddedTokens::Builder::Forget(const AddedToken& token) {
  Contents& contents = token.normalized ? normalized : raw;
  const auto name = names.find(token.id);
  const auto found =
      contents.find(name == names.end() ? token.content : name->second);
  if (found != contents.end() && found->second == token.id)
    contents.erase(found);
  names.erase(token.id);
}

absl::StatusOr<std::unique_ptr<const AddedTokens>> AddedTokens::Create(
    std::span<const AddedToken> tokens, const Segmenter& segmenter,
    const AddedTokensOptions& options) {
  Builder builder;
  builder.from_0_23 = options.from_0_23;
  for (const AddedToken& token : tokens) {
    if (absl::Status status = builder.Add(token, segmenter); !status.ok()) {
      return status;
    }
  }
  return std::unique_ptr<const AddedTokens>(
      new AddedTokens(std::move(builder), options));
}

AddedTokens::AddedTokens(Builder builder, const AddedTokensOptions& options)
    : splits_special_(options.splits_special),
      tokens_(std::move(builder.tokens)),
      names_(options.from_0_23 ? std::move(builder.names) : decltype(names_)()),
      ids_(std::move(builder.ids)),
      raw_(builder.raw),
      normalized_(builder.normalized) {
  for (const auto& [id, token] : tokens_) {
    id_limit_ = std::max(id_limit_, id + 1);
  }
}

std::vector<TextPiece> AddedTokens::Split(std::string_view text,
                                          bool normalized) const {
  const TokenFinder& finder = normalized ? normalized_ : raw_;
  std::vector<TextPiece> pieces;
  size_t done = 0;
  size_t from = 0;
  while (true) {
    TextPiece found = finder.Find(text, from);
    if (found.id < 0) break;
    from = found.end;
    const AddedToken& token = tokens_.find(found.id)->second;
    if (splits_special_ && token.special) continue;
    if (token.single_word && (EndsWithWord(text.substr(0, found.begin)) ||
                              StartsWithWord(text.substr(found.end)))) {
      continue;
    }
    if (token.lstrip) {
      found.begin = std::max(
          done,
          SkipWhiteSpaceBefore(text, std::min(done, found.begin), found.begin));
    }
    if (token.rstrip) found.end = SkipWhiteSpaceAfter(text, found.end);
    found.begin = std::min(found.begin, found.end);
    if (done < found.begin) pieces.push_back({-1, done, found.begin});
    if (found.begin < found.end) pieces.push_back(found);
    done = found.end;
  }
  if (done < text.size()) pieces.push_back({-1, done, text.size()});
  return pieces;
}

std::optional<int32_t> AddedTokens::TokenToId(std::string_view content) const {
  const auto found = ids_.find(ToAbsl(content));
  if (found == ids_.end()) return std::nullopt;
  return found->second;
}

const AddedToken* AddedTokens::Find(int32_t id) const {
  const auto found = tokens_.find(id);
  return found == tokens_.end() ? nullptr : &found->second;
}

std::string_view AddedTokens::IdToToken(int32_t id) const {
  if (const auto name = names_.find(id); name != names_.end()) {
    return name->second;
  }
  const AddedToken* token = Find(id);
  return token == nullptr ? std::string_view() : token->content;
}

bool AddedTokens::IsSpecial(int32_t id) const {
  const auto named = ids_.find(ToAbsl(IdToToken(id)));
  const AddedToken* token = named == ids_.end() ? nullptr : Find(named->second);
  return token != nullptr && token->special;
}

size_t AddedTokens::resident_bytes() const {
  return tokens_.size() * (sizeof(AddedToken) + sizeof(std::string)) +
         raw_.resident_bytes() + normalized_.resident_bytes();
}

}  // namespace deberta::tokenizer
