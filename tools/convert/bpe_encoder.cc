#include "tools/convert/bpe_encoder.h"

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/checkpoint/pickle.h"
#include "model/checkpoint/torch_file.h"

namespace deberta::tools {
namespace {

using model::Pickle;
using model::PickleValue;
using Kind = model::PickleValue::Kind;
using Values = std::span<const PickleValue>;

// GPT-2's longest token takes 256 bytes, its merges half a megabyte.
constexpr size_t kMaxTokenBytes = 1024;
constexpr size_t kMaxMergesBytes = size_t{64} << 20;

absl::Status Malformed(const char* key, const char* expected) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", key, "\": expected ", expected));
}

// The value under `key` of a dict, or null.
const PickleValue* Find(const Pickle& pickle, const PickleValue& dict,
                        std::string_view key) {
  const Values items = pickle.Items(dict);
  for (size_t i = 0; i < items.size(); i += 2) {
    if (items[i].Is(Kind::kText) && pickle.Text(items[i]) == key) {
      return &items[i + 1];
    }
  }
  return nullptr;
}

// The two items of a list or a tuple; else none.
Values Pair(const Pickle& pickle, const PickleValue& value) {
  if (!value.Is(Kind::kList) && !value.Is(Kind::kTuple)) return {};
  const Values items = pickle.Items(value);
  return items.size() == 2 ? items : Values();
}

bool IsToken(const PickleValue& value) {
  return value.Is(Kind::kText) && value.length <= kMaxTokenBytes;
}

// Tokens by GPT-2's ids, which "dict_map" spells as texts.
absl::StatusOr<std::map<std::string, std::string_view>> ReadEncoder(
    const Pickle& pickle, const PickleValue& dict) {
  std::map<std::string, std::string_view> tokens;
  const Values items = pickle.Items(dict);
  for (size_t i = 0; i < items.size(); i += 2) {
    if (!IsToken(items[i]) || !items[i + 1].Is(Kind::kInt)) {
      return Malformed("encoder", "ids by token");
    }
    tokens[absl::StrCat(items[i + 1].number)] = pickle.Text(items[i]);
  }
  return tokens;
}

absl::StatusOr<std::string> MakeVocabJson(const Pickle& pickle,
                                          const PickleValue& encoder,
                                          const PickleValue& dict_map) {
  const auto tokens = ReadEncoder(pickle, encoder);
  if (!tokens.ok()) return tokens.status();
  auto vocab = nlohmann::ordered_json::object();
  std::set<std::string, std::less<>> seen;
  const auto add = [&](std::string_view token) {
    // Microsoft's code gives a token that comes again no second id.
    if (seen.emplace(token).second) vocab.push_back({token, seen.size() - 1});
  };
  for (const char* special : {"[PAD]", "[CLS]", "[SEP]", "[UNK]"}) add(special);
  for (const PickleValue& item : pickle.Items(dict_map)) {
    const Values entry = Pair(pickle, item);
    if (entry.empty() || !IsToken(entry[0])) {
      return Malformed("dict_map", "pairs of an id as text and a count");
    }
    // fairseq's fillers, "madeupword0000", are ids of no token.
    const std::string_view id = pickle.Text(entry[0]);
    const auto token = tokens->find(std::string(id));
    add(token == tokens->end() ? id : token->second);
  }
  add("[MASK]");
  return vocab.dump();
}

absl::StatusOr<std::string> MakeMerges(const Pickle& pickle,
                                       const PickleValue& merges) {
  std::string lines = "#version: 0.2\n";
  for (const PickleValue& item : pickle.Items(merges)) {
    const Values pair = Pair(pickle, item);
    const bool texts = !pair.empty() && IsToken(pair[0]) && IsToken(pair[1]);
    if (!texts ||
        pickle.Text(pair[0]).find_first_of(" \n\r") != std::string_view::npos ||
        pickle.Text(pair[1]).find_first_of(" \n\r") != std::string_view::npos) {
      return Malformed("vocab", "pairs of tokens without spaces");
    }
    lines.append(pickle.Text(pair[0])).append(" ");
    lines.append(pickle.Text(pair[1])).append("\n");
    // A file may name one pair a million times.
    if (lines.size() > kMaxMergesBytes) {
      return Malformed("vocab", "at most 64 MiB of pairs");
    }
  }
  return lines;
}

}  // namespace

absl::StatusOr<BpeFiles> ConvertBpeEncoder(std::span<const std::byte> file) {
  const absl::StatusOr<Pickle> pickle = model::ParseTorchObject(file);
  if (!pickle.ok()) return pickle.status();
  const PickleValue& root = pickle->root();
  if (!root.Is(Kind::kDict)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a dict, got a ", model::KindName(root.kind)));
  }
  const PickleValue* const encoder = Find(*pickle, root, "encoder");
  const PickleValue* const dict_map = Find(*pickle, root, "dict_map");
  const PickleValue* const merges = Find(*pickle, root, "vocab");
  if (encoder == nullptr || !encoder->Is(Kind::kDict)) {
    return Malformed("encoder", "a dict");
  }
  if (dict_map == nullptr || !dict_map->Is(Kind::kList)) {
    return Malformed("dict_map", "a list");
  }
  if (merges == nullptr || !merges->Is(Kind::kList)) {
    return Malformed("vocab", "a list");
  }
  absl::StatusOr<std::string> vocab_json =
      MakeVocabJson(*pickle, *encoder, *dict_map);
  if (!vocab_json.ok()) return vocab_json.status();
  absl::StatusOr<std::string> merges_txt = MakeMerges(*pickle, *merges);
  if (!merges_txt.ok()) return merges_txt.status();
  return BpeFiles{*std::move(vocab_json), *std::move(merges_txt)};
}

}  // namespace deberta::tools
