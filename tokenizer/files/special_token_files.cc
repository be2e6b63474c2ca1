#include "tokenizer/files/special_token_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

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
  void AddAdditional(const std::vector<JsonNode>& nodes, bool from_map);
  void ReadModelTokens(const JsonNode& root, bool from_map);
  void ReadAddedTokensDecoder(const JsonNode& node);
  void ReadAddedTokensJson();
  void UseDecoderAttributes();
  void UseSlowTokenizerAttributes();
  AddedTokenPlan Collect() const;

  const SideFiles& files_;
  const TokenizerSource source_;
  const Profile profile_;
  const bool bert_class_;
  const std::span<const DeclaredToken> defined_;

  std::array<std::optional<SpecialValue>, kAttributes> values_;
  std::array<bool, kAttributes> given_{};  // by a file
  std::vector<SpecialValue> additional_;
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
  UseDecoderAttributes();
  UseSlowTokenizerAttributes();
  return Collect();
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
    values_[i].reset();
    if (node.present()) values_[i] = ReadSpecialValue(node, from_map);
  }
  if (profile_ == Profile::kHf5) ReadModelTokens(root, from_map);
  // Named ones: an object, or a list in files of transformers 5.
  const JsonNode extra = root.At("extra_special_tokens");
  const bool any_extra = extra.present() && !extra.value()->empty();
  // Version 5 reads the old key only in place of the new one, and not in
  // special_tokens_map.json.
  const JsonNode list = root.At("additional_special_tokens");
  if (list.present() &&
      !(profile_ == Profile::kHf5 && (any_extra || from_map))) {
    AddAdditional(list.Elements(), from_map);
  }
  if (extra.is_object()) {
    for (const auto& [key, node] : extra.Members()) {
      additional_.push_back(ReadSpecialValue(node, from_map));
    }
  } else if (extra.present()) {
    AddAdditional(extra.Elements(), from_map);
  }
}

void Planner::AddAdditional(const std::vector<JsonNode>& nodes, bool from_map) {
  for (const JsonNode& node : nodes) {
    additional_.push_back(ReadSpecialValue(node, from_map));
  }
}

// What version 5 takes for tokens of the model's own: keys such as
// "image_token", in whose absence the members of
// "model_specific_special_tokens". A map of "extra_special_tokens" has the same
// effect on the latter.
void Planner::ReadModelTokens(const JsonNode& root, bool from_map) {
  bool any = root.At("extra_special_tokens").is_object() &&
             !root.At("extra_special_tokens").value()->empty();
  for (const auto& [key, node] : root.Members()) {
    const bool known = std::any_of(
        kDefaults.begin(), kDefaults.end(),
        [&name = key](const AttributeDefault& d) { return d.key == name; });
    if (!known && key.ends_with("_token") && node.is_string()) {
      additional_.push_back(ReadSpecialValue(node, from_map));
      any = true;
    }
  }
  const JsonNode own = root.At("model_specific_special_tokens");
  if (any || !own.present()) return;
  for (const auto& [key, node] : own.Members()) {
    additional_.push_back(ReadSpecialValue(node, from_map));
  }
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
  for (const auto& [name, id] : files_.added_tokens.root().Members()) {
    const std::string& content = name;
    // Only those count that a file names; transformers does not look at the
    // class's defaults here.
    bool special = std::any_of(
        additional_.begin(), additional_.end(),
        [&](const SpecialValue& v) { return v.content == content; });
    for (size_t i = 0; i < kAttributes; ++i) {
      special |= given_[i] && values_[i] && values_[i]->content == content;
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

AddedTokenPlan Planner::Collect() const {
  std::vector<SpecialValue> specials;
  const auto is_listed = [&](std::string_view content) {
    return std::any_of(
        specials.begin(), specials.end(),
        [&](const SpecialValue& v) { return v.content == content; });
  };
  std::set<std::string_view> texts;
  for (const auto& value : values_) {
    if (!value) continue;
    // In version 5 the last of one content counts, but for a text that was
    // there before.
    if (profile_ == Profile::kHf5 &&
        (value->attributes || !texts.contains(value->content))) {
      std::erase_if(specials, [&](const SpecialValue& v) {
        return v.content == value->content;
      });
    }
    if (!value->attributes) texts.insert(value->content);
    if (!is_listed(value->content)) specials.push_back(*value);
  }
  const size_t named = specials.size();
  for (const SpecialValue& value : additional_) {
    if (!is_listed(value.content)) specials.push_back(value);
  }
  // In version 5 one that is not named may say that it is not special.
  const auto is_special = [&](std::string_view content) {
    const auto end = profile_ == Profile::kHf5
                         ? specials.begin() + static_cast<ptrdiff_t>(named)
                         : specials.end();
    return std::any_of(specials.begin(), end, [&](const SpecialValue& v) {
      return v.content == content;
    });
  };

  AddedTokenPlan plan;
  for (const auto& [id, token] : decoder_) {
    plan.tokens.push_back({token, id});
    AddedToken& added = plan.tokens.back().token;
    added.special = added.special || is_special(added.content);
  }
  const auto is_added = [&](const auto& tokens, std::string_view content) {
    return std::any_of(
        tokens.begin(), tokens.end(),
        [&](const DeclaredToken& t) { return t.token.content == content; });
  };
  for (const SpecialValue& value : specials) {
    if (value.content.empty()) continue;  // as the library does
    // Version 5 leaves what is there as it is.
    if ((!value.attributes || profile_ == Profile::kHf5) &&
        (is_added(defined_, value.content) ||
         is_added(plan.tokens, value.content))) {
      continue;
    }
    AddedToken token;
    token.content = value.content;
    if (value.attributes) token = *value.attributes;
    token.special =
        token.special || !value.attributes || is_special(value.content);
    plan.tokens.push_back({std::move(token), std::nullopt});
  }
  const auto content = [&](Attribute i) -> std::optional<std::string> {
    if (!values_[i]) return std::nullopt;
    return values_[i]->content;
  };
  for (const auto& value : values_) {
    if (value) plan.names.named.push_back(value->content);
  }
  for (const SpecialValue& value : additional_) {
    plan.names.additional.push_back(value.content);
  }
  plan.names.cls = content(kCls);
  plan.names.sep = content(kSep);
  plan.names.pad = content(kPad);
  plan.names.unk = content(kUnk);
  plan.names.mask = content(kMask);
  return plan;
}

}  // namespace

absl::StatusOr<AddedTokenPlan> PlanAddedTokens(
    const SideFiles& files, TokenizerSource source, Profile profile,
    bool bert_class, std::span<const DeclaredToken> defined) {
  return Planner(files, source, profile, bert_class, defined).Plan();
}

}  // namespace deberta::tokenizer
