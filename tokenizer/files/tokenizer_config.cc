#include "tokenizer/files/tokenizer_config.h"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace deberta::tokenizer {
namespace {

// transformers' stand-in for "no limit" is above this.
constexpr double kLargeInteger = 1e20;

// Below 1 stands for no limit as well: transformers fails only where it
// truncates to it.
std::optional<int64_t> ReadMaxLength(const JsonNode& root) {
  JsonNode length = root.At("model_max_length");
  if (!length.present()) length = root.At("max_len");
  if (!length.present()) return std::nullopt;
  if (!length.value()->is_number()) {
    length.Fail("a number");
    return std::nullopt;
  }
  const auto value = length.value()->get<double>();  // may be Infinity
  if (!(value >= 1 && value <= kLargeInteger)) return std::nullopt;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return value < static_cast<double>(kMost) ? static_cast<int64_t>(value)
                                            : kMost;
}

bool HasTokenTypeIds(const JsonNode& root, bool otherwise) {
  const JsonNode names = root.At("model_input_names");
  if (!names.present()) return otherwise;
  const std::vector<JsonNode> elements = names.Elements();
  return std::any_of(elements.begin(), elements.end(), [](const JsonNode& n) {
    return n.String() == "token_type_ids";
  });
}

Hf5Settings ReadHf5Settings(const JsonNode& root) {
  Hf5Settings settings = {
      .do_lower_case = root.At("do_lower_case").BoolOr(false),
      .split_by_punct = root.At("split_by_punct").BoolOr(false),
      .add_prefix_space = root.At("add_prefix_space").BoolOr(true)};
  if (const JsonNode id = root.At("unk_id"); id.present()) {
    settings.unk_id = id.Int32();
  }
  if (const JsonNode unk = root.At("unk_token"); unk.present()) {
    settings.unk_token =
        unk.is_object() ? unk.At("content").String() : unk.String();
  }
  return settings;
}

// A class of transformers without its old suffix.
std::string ClassName(const JsonNode& node) {
  std::string name = node.StringOr("");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  return name;
}

bool IsDeberta(std::string_view name) {
  return name == "DebertaTokenizer" || name == "DebertaV2Tokenizer";
}

bool IsBert(const JsonNode& node) { return ClassName(node) == "BertTokenizer"; }

BertSettings ReadBertSettings(const JsonNode& root) {
  BertSettings settings{
      .lowercase = root.At("do_lower_case").BoolOr(true),
      .handle_chinese_chars = root.At("tokenize_chinese_chars").BoolOr(true)};
  if (const JsonNode accents = root.At("strip_accents"); accents.present()) {
    settings.strip_accents = accents.Bool();
  }
  return settings;
}

bool IsJapanese(const JsonNode& node, TokenizerSource source) {
  return source == TokenizerSource::kVocabTxt &&
         ClassName(node) == "BertJapaneseTokenizer";
}

// Notes what needs a program that cuts Japanese into words, and what no model
// of this class has.
BertJapaneseSettings ReadBertJapaneseSettings(const JsonNode& root) {
  BertJapaneseSettings settings{.cuts_words =
                                    root.At("do_word_tokenize").BoolOr(true)};
  const JsonNode words = root.At("word_tokenizer_type");
  if (settings.cuts_words && words.StringOr("basic") != "basic") {
    words.Fail(
        "\"basic\": other word tokenizers are programs and dictionaries that "
        "are not here. With \"do_word_tokenize\": false, texts are taken that "
        "they have cut already: normalized, with a space between words, or "
        "with \"character\" subwords without any");
  }
  const JsonNode subwords = root.At("subword_tokenizer_type");
  const std::string type = subwords.StringOr("wordpiece");
  settings.characters = type == "character";
  if (!settings.characters && type != "wordpiece") {
    subwords.Fail("\"character\" or \"wordpiece\"");
  }
  if (!root.At("do_subword_tokenize").BoolOr(true)) {
    root.At("do_subword_tokenize").Fail("true");
  }
  if (root.At("do_lower_case").BoolOr(false)) {
    root.At("do_lower_case").Fail("false, with BertJapaneseTokenizer");
  }
  if (const JsonNode never = root.At("never_split");
      never.present() && !never.Elements().empty()) {
    never.Fail("null: give such tokens as added tokens");
  }
  return settings;
}

// Notes a class that does not read vocab.txt.
void CheckReadsVocabTxt(const JsonNode& node, TokenizerSource source) {
  if (source != TokenizerSource::kVocabTxt || IsBert(node) ||
      IsJapanese(node, source)) {
    return;
  }
  node.Fail("BertTokenizer or BertJapaneseTokenizer, which read vocab.txt");
}

// Whether tokenizer.json is taken as it is. Notes a class of another model:
// it builds another tokenizer, or passes a model other inputs.
bool IsGenericClass(const JsonNode& node, TokenizerSource source,
                    Profile profile) {
  const std::string name = ClassName(node);
  if (name.empty() || IsDeberta(name) || profile == Profile::kSpm) return false;
  const bool bert =
      IsJapanese(node, source) ||
      (IsBert(node) && (source == TokenizerSource::kTokenizerJson ||
                        source == TokenizerSource::kVocabTxt));
  if (bert) return false;
  const bool json = source == TokenizerSource::kTokenizerJson;
  const bool generic = name == "PreTrainedTokenizer" ||
                       name == "TokenizersBackend" || name == "PythonBackend";
  if (!json || !generic) {
    node.Fail(
        "DebertaTokenizer or DebertaV2Tokenizer, or BertTokenizer, or, to have "
        "tokenizer.json read as it is, PreTrainedTokenizerFast");
  }
  return true;
}

// Notes code of the directory's own, which nobody runs here.
void CheckNoCode(const JsonNode& auto_map) {
  if (!auto_map.present()) return;
  const JsonNode named =
      auto_map.is_object() ? auto_map.At("AutoTokenizer") : auto_map;
  if (!named.present()) return;
  std::vector<JsonNode> classes = {named};
  if (!named.is_string()) classes = named.Elements();
  for (const JsonNode& node : classes) {
    if (node.present()) {
      node.Fail("null: the directory's own code is not run");
    }
  }
}

}  // namespace

std::optional<Side> ReadSide(const JsonNode& node) {
  if (!node.present()) return std::nullopt;
  const std::string side = node.String();
  if (side == "left" || side == "Left") return Side::kLeft;
  if (side != "right" && side != "Right") node.Fail("\"left\" or \"right\"");
  return Side::kRight;
}

absl::StatusOr<TokenizerConfig> ReadTokenizerConfig(
    const JsonDocument& tokenizer_config, const JsonDocument& config,
    TokenizerSource source, Profile profile) {
  const JsonNode root = tokenizer_config.root();
  TokenizerConfig settings;
  settings.model_max_length = ReadMaxLength(root);
  settings.clean_up_tokenization_spaces =
      root.At("clean_up_tokenization_spaces").BoolOr(false);
  settings.add_prefix_space = root.At("add_prefix_space").BoolOr(false);
  settings.spm.do_lower_case = root.At("do_lower_case").BoolOr(false);
  settings.spm.split_by_punct = root.At("split_by_punct").BoolOr(false);
  settings.hf5 = ReadHf5Settings(root);
  CheckNoCode(root.At("auto_map"));
  JsonNode name = root.At("tokenizer_class");
  if (!name.present()) name = config.root().At("tokenizer_class");
  CheckReadsVocabTxt(name, source);
  if (IsJapanese(name, source)) {
    settings.japanese = ReadBertJapaneseSettings(root);
  }
  settings.bert_class = IsBert(name) || settings.japanese.has_value();
  settings.bert = ReadBertSettings(root);
  settings.unk_token = settings.hf5.unk_token;
  settings.generic_class =
      IsGenericClass(name, source, profile) && profile == Profile::kHf5;
  // Neither the class without a model of its own nor those in Python have types
  // in version 5.
  const bool untyped =
      settings.generic_class ||
      (settings.japanese.has_value() && profile == Profile::kHf5);
  settings.token_type_ids = HasTokenTypeIds(root, /*otherwise=*/!untyped);
  settings.padding_side = ReadSide(root.At("padding_side"));
  settings.truncation_side = ReadSide(root.At("truncation_side"));
  const JsonNode split = root.At("split_special_tokens");
  settings.split_special_tokens = split.BoolOr(false);
  if (settings.split_special_tokens && profile == Profile::kSpm) {
    split.Fail("false, with the tokenizer profile spm");
  }
  for (const JsonDocument* file : {&tokenizer_config, &config}) {
    if (!file->error().ok()) return file->error();
  }
  return settings;
}

}  // namespace deberta::tokenizer
