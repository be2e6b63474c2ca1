#include "tokenizer/files/special_token_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/files/tokenizer_json.h"

namespace deberta::tokenizer {
namespace {

// A special token is a plain string or has attributes.
struct SpecialValue {
  std::string content;
  std::optional<AddedToken> attributes;
};

using Contents = absl::flat_hash_set<std::string>;

Contents ContentsOf(std::span<const SpecialValue> values) {
  Contents contents;
  for (const SpecialValue& value : values) contents.insert(value.content);
  return contents;
}

// The same for two that are added as one.
std::string KeyOf(const SpecialValue& value) {
  if (!value.attributes) return absl::StrCat("-", value.content);
  const AddedToken& token = *value.attributes;
  return absl::StrCat(token.single_word ? 1 : 0, token.lstrip ? 1 : 0,
                      token.rstrip ? 1 : 0, token.normalized ? 1 : 0,
                      token.special ? 1 : 0, value.content);
}

bool Holds(std::span<const SpecialValue> values, std::string_view content) {
  return std::ranges::any_of(
      values, [&](const SpecialValue& v) { return v.content == content; });
}

// In transformers' order, in which they get ids.
enum Attribute { kBos, kEos, kUnk, kSep, kPad, kCls, kMask, kAttributes };

struct AttributeDefault {
  std::string_view key;
  std::string_view content;
};

constexpr std::array<AttributeDefault, kAttributes> kDefaults = {
    {{"bos_token", "[CLS]"},
     {"eos_token", "[SEP]"},
     {"unk_token", "[UNK]"},
     {"sep_token", "[SEP]"},
     {"pad_token", "[PAD]"},
     {"cls_token", "[CLS]"},
     {"mask_token", "[MASK]"}}};

SpecialValue ReadSpecialValue(const JsonNode& node, bool special) {
  if (node.is_string()) return {node.String(), std::nullopt};
  if (!node.is_object()) {
    node.Fail("a string or an object");
    return {};
  }
  AddedToken token = ReadAddedToken(node, special, !special);
  token.special = token.special || special;
  return {token.content, token};
}

class Planner {
 public:
  Planner(const SideFiles& files, TokenizerSource source, Profile profile,
          bool bert_class, std::span<const DeclaredToken> defined)
      : files_(files),
        source_(source),
        profile_(profile),
        bert_class_(bert_class),
        defined_(defined) {}

  absl::StatusOr<AddedTokenPlan> Plan();

 private:
  void SetDefaults();
  void ReadSpecialTokens(const JsonNode& root, bool from_map);
  void AddAdditional(const JsonNode& list, bool from_map,
                     std::vector<SpecialValue>* out) const;
  void AddMembers(const JsonNode& object, bool from_map);
  void ReadHf5Lists(const JsonNode& root, bool from_map);
  void ReadModelTokens(const JsonNode& root, bool from_map);
  void ReadAddedTokensDecoder(const JsonNode& node);
  void ReadAddedTokensJson();
  void UseDecoderAttributes();
  void UseSlowTokenizerAttributes();
  std::vector<SpecialValue> Specials(size_t* named) const;
  bool TakeExtra();
  void Collect(AddedTokenPlan* out) const;

  const SideFiles& files_;
  const TokenizerSource source_;
  const Profile profile_;
  const bool bert_class_;
  std::span<const DeclaredToken> defined_;

  std::array<std::optional<SpecialValue>, kAttributes> values_;
  std::array<bool, kAttributes> given_{};            // by a file
  std::array<bool, kAttributes> given_as_object_{};  // by tokenizer_config.json
  std::vector<SpecialValue> additional_;
  // Of version 5, before they are among the additional ones.
  std::optional<std::vector<SpecialValue>> extra_;
  std::vector<SpecialValue> old_extra_;
  std::map<int32_t, AddedToken> decoder_;  // added_tokens_decoder
  bool decoder_has_attributes_ = false;
};

absl::StatusOr<AddedTokenPlan> Planner::Plan() {
  const JsonNode config = files_.tokenizer_config.root();
  SetDefaults();
  ReadSpecialTokens(config, /*from_map=*/false);
  if (const JsonNode node = config.At("added_tokens_decoder"); node.present()) {
    ReadAddedTokensDecoder(node);
  } else {
    ReadSpecialTokens(files_.special_tokens_map.root(), /*from_map=*/true);
    ReadAddedTokensJson();
    if (source_ == TokenizerSource::kTokenizerJson) {
      for (const DeclaredToken& token : defined_) {
        decoder_[*token.declared_id] = token.token;
        decoder_has_attributes_ = true;
      }
    }
  }
  for (const JsonDocument* file :
       {&files_.tokenizer_config, &files_.special_tokens_map,
        &files_.added_tokens}) {
    if (!file->error().ok()) return file->error();
  }
  AddedTokenPlan plan;
  if (profile_ == Profile::kHf5) plan.without_defined = TakeExtra();
  UseDecoderAttributes();
  UseSlowTokenizerAttributes();
  Collect(&plan);
  return plan;
}

void Planner::SetDefaults() {
  // The class without a model of its own has no special tokens of its own.
  const JsonNode name = files_.tokenizer_config.root().At("tokenizer_class");
  if (source_ == TokenizerSource::kTokenizerJson &&
      name.StringOr("") == "PreTrainedTokenizerFast") {
    return;
  }
  for (size_t i = 0; i < kAttributes; ++i) {
    if (bert_class_ && (i == kBos || i == kEos)) continue;
    values_[i] = SpecialValue{std::string(kDefaults[i].content), std::nullopt};
  }
}

void Planner::ReadSpecialTokens(const JsonNode& root, bool from_map) {
  for (size_t i = 0; i < kAttributes; ++i) {
    const JsonNode node = root.At(kDefaults[i].key);
    if (node.value() == nullptr) continue;
    given_[i] = true;
    given_as_object_[i] = node.is_object() && !from_map;
    values_[i].reset();
    if (node.present()) values_[i] = ReadSpecialValue(node, from_map);
  }
  if (profile_ == Profile::kHf5) {
    ReadModelTokens(root, from_map);
    ReadHf5Lists(root, from_map);
    return;
  }
  // Named ones: an object, or a list in files of transformers 5.
  const JsonNode extra = root.At("extra_special_tokens");
  AddAdditional(root.At("additional_special_tokens"), from_map, &additional_);
  if (extra.is_object()) {
    AddMembers(extra, from_map);
  } else {
    AddAdditional(extra, from_map, &additional_);
  }
}

void Planner::AddAdditional(const JsonNode& list, bool from_map,
                            std::vector<SpecialValue>* out) const {
  if (!list.present()) return;
  for (const JsonNode& node : list.Elements()) {
    out->push_back(ReadSpecialValue(node, from_map));
  }
}

void Planner::AddMembers(const JsonNode& object, bool from_map) {
  for (const auto& [key, node] : object.Members()) {
    additional_.push_back(ReadSpecialValue(node, from_map));
  }
}

// "extra_special_tokens", in whose place tokenizer_config.json may have the
// older key. Another list by that key counts if there is no new one.
void Planner::ReadHf5Lists(const JsonNode& root, bool from_map) {
  const JsonNode extra = root.At("extra_special_tokens");
  const JsonNode old = root.At("additional_special_tokens");
  const bool any_extra = extra.present() && !extra.value()->empty();
  if (old.present() && !any_extra && !from_map) {
    AddAdditional(old, from_map, &extra_.emplace());
    return;
  }
  if (extra.present() && !extra.is_object()) {
    if (!extra_) extra_.emplace();
    AddAdditional(extra, from_map, &*extra_);
  }
  if (!old.present()) return;
  old_extra_.clear();
  AddAdditional(old, from_map, &old_extra_);
}

// What version 5 takes for tokens of the model's own: keys such as
// "image_token", in whose absence the members of
// "model_specific_special_tokens". A map of "extra_special_tokens" has the same
// effect on the latter.
void Planner::ReadModelTokens(const JsonNode& root, bool from_map) {
  const JsonNode extra = root.At("extra_special_tokens");
  bool any = extra.is_object() && !extra.value()->empty();
  for (const auto& [key, node] : root.Members()) {
    const bool known = std::any_of(
        kDefaults.begin(), kDefaults.end(),
        [&name = key](const AttributeDefault& d) { return d.key == name; });
    if (!known && key.ends_with("_token") && node.is_string()) {
      additional_.push_back(ReadSpecialValue(node, from_map));
      any = true;
    }
  }
  if (extra.is_object()) AddMembers(extra, from_map);
  const JsonNode own = root.At("model_specific_special_tokens");
  if (!any && own.present()) AddMembers(own, from_map);
}

void Planner::ReadAddedTokensDecoder(const JsonNode& node) {
  for (const auto& [key, token] : node.Members()) {
    int32_t id;
    if (!absl::SimpleAtoi(key, &id) || id < 0) {
      token.Fail("a token id as the key");
      return;
    }
    decoder_[id] = ReadAddedToken(token, /*special=*/false,
                                  !token.At("special").BoolOr(false));
    decoder_has_attributes_ = true;
  }
}

void Planner::ReadAddedTokensJson() {
  std::span<const SpecialValue> listed = additional_;
  if (profile_ == Profile::kHf5) {
    listed = {};
    if (extra_) listed = *extra_;
  }
  const Contents extra = ContentsOf(listed);
  for (const auto& [name, id] : files_.added_tokens.root().Members()) {
    const std::string& content = name;
    // Only those count that a file names; transformers does not look at the
    // class's defaults here, nor into objects of tokenizer_config.json.
    bool special = extra.contains(content);
    for (size_t i = 0; i < kAttributes; ++i) {
      special |= given_[i] && !given_as_object_[i] && values_[i] &&
                 values_[i]->content == content;
    }
    AddedToken token;
    token.content = content;
    token.normalized = !special;
    token.special = special;
    decoder_[id.Int32()] = std::move(token);
  }
}

void Planner::UseDecoderAttributes() {
  if (!decoder_has_attributes_) return;
  for (size_t i = 0; i < kAttributes; ++i) {
    if (!given_[i] || !values_[i]) continue;
    for (const auto& [id, token] : decoder_) {
      if (token.content == values_[i]->content) values_[i]->attributes = token;
    }
  }
}

void Planner::UseSlowTokenizerAttributes() {
  const bool v1 = source_ == TokenizerSource::kVocabAndMerges;
  if (source_ == TokenizerSource::kTokenizerJson || bert_class_ ||
      profile_ == Profile::kHf5) {
    return;
  }
  for (size_t i = 0; i < kAttributes; ++i) {
    if (!values_[i] || values_[i]->attributes || (!v1 && i != kUnk)) continue;
    AddedToken token;
    token.content = values_[i]->content;
    // v1's mask takes the space before it; v2's unk is sought in normalised
    // text.
    token.lstrip = v1 && i == kMask;
    token.normalized = i == (v1 ? kMask : kUnk);
    values_[i]->attributes = token;
  }
}

// All that are special, in the order in which they are added; the named ones
// come first, `*named` of them. One content may be there twice, with other
// attributes.
std::vector<SpecialValue> Planner::Specials(size_t* named) const {
  std::vector<SpecialValue> specials;
  absl::flat_hash_set<std::string> listed;  // KeyOf()
  for (const auto& value : values_) {
    if (!value) continue;
    if (profile_ != Profile::kHf5 && Holds(specials, value->content)) continue;
    if (listed.insert(KeyOf(*value)).second) specials.push_back(*value);
  }
  *named = specials.size();
  const Contents names = ContentsOf(specials);
  for (const SpecialValue& value : additional_) {
    if (profile_ != Profile::kHf5 && names.contains(value.content)) continue;
    if (listed.insert(KeyOf(value)).second) specials.push_back(value);
  }
  return specials;
}

// Puts version 5's list among the additional tokens; whether it stands in the
// place of spm.model's own tokens, which are a list by the older key there.
bool Planner::TakeExtra() {
  const bool spm = source_ == TokenizerSource::kSpm;
  if (extra_ || !spm) {
    const std::vector<SpecialValue>& taken = extra_ ? *extra_ : old_extra_;
    additional_.insert(additional_.end(), taken.begin(), taken.end());
  }
  const bool without_defined = spm && extra_.has_value();
  if (without_defined) defined_ = {};
  return without_defined;
}

void Planner::Collect(AddedTokenPlan* out) const {
  size_t named = 0;
  const std::vector<SpecialValue> specials = Specials(&named);
  // In version 5 one that is not named may say that it is not special.
  const Contents special = ContentsOf(std::span(specials).first(
      profile_ == Profile::kHf5 ? named : specials.size()));
  Contents there;
  for (const DeclaredToken& token : defined_) there.insert(token.token.content);
  for (const auto& [id, token] : decoder_) {
    out->tokens.push_back({token, id});
    out->tokens.back().token.special |= special.contains(token.content);
    there.insert(token.content);
  }
  for (const SpecialValue& value : specials) {
    if (value.content.empty()) continue;  // as the library does
    // Version 5 leaves what is there as it is.
    const bool may_stay = !value.attributes || profile_ == Profile::kHf5;
    if (may_stay && there.contains(value.content)) continue;
    AddedToken token;
    token.content = value.content;
    if (value.attributes) token = *value.attributes;
    token.special |= !value.attributes || special.contains(value.content);
    out->tokens.push_back({std::move(token), std::nullopt});
  }
  const auto content = [&](Attribute i) -> std::optional<std::string> {
    if (!values_[i]) return std::nullopt;
    return values_[i]->content;
  };
  for (const auto& value : values_) {
    if (value) out->names.named.push_back(value->content);
  }
  for (const SpecialValue& value : additional_) {
    out->names.additional.push_back(value.content);
  }
  out->names.cls = content(kCls);
  out->names.sep = content(kSep);
  out->names.pad = content(kPad);
  out->names.unk = content(kUnk);
  out->names.mask = content(kMask);
}

}  // namespace

absl::StatusOr<AddedTokenPlan> PlanAddedTokens(
    const SideFiles& files, TokenizerSource source, Profile profile,
    bool bert_class, std::span<const DeclaredToken> defined) {
  return Planner(files, source, profile, bert_class, defined).Plan();
}

}  // namespace deberta::tokenizer
