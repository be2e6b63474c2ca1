#include "server/security/token_file.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "json/json.h"

namespace deberta::server {
namespace {

using json::Value;

constexpr size_t kMaxNameBytes = 64;
constexpr double kMostPerSecond = 1e12;

constexpr char kKeys[] =
    "name, sha256, models, max_priority, requests_per_second, requests_burst, "
    "tokens_per_second, tokens_burst";
const std::set<std::string, std::less<>> kKnownKeys = {
    "name",         "sha256",           "models",
    "max_priority", "requests_burst",   "requests_per_second",
    "tokens_burst", "tokens_per_second"};

// Names go into logs and metadata as they are.
bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kMaxNameBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '.' || c == '_' || c == '-';
         });
}

bool ReadHash(const Value& value, TokenHash* hash) {
  if (!value.is_string()) return false;
  const std::string& digits = value.get_ref<const std::string&>();
  if (digits.size() != 2 * hash->size()) return false;
  const char* at = digits.data();
  for (uint8_t& byte : *hash) {
    if (std::from_chars(at, at + 2, byte, 16).ptr != at + 2) return false;
    at += 2;
  }
  return true;
}

// One entry of the list.
class Entry {
 public:
  Entry(const Value& value, size_t index) : value_(value), index_(index) {}

  absl::StatusOr<AccountRules> Rules() const {
    if (!value_.is_object()) return Wrong("", "an object");
    for (const auto& item : value_.items()) {
      if (!kKnownKeys.contains(item.key()))
        return Wrong("", absl::StrCat("no other keys than ", kKeys));
    }
    AccountRules rules;
    const Value* name = Find("name");
    if (name == nullptr || !name->is_string() ||
        !IsName(name->get_ref<const std::string&>())) {
      return Wrong("name", "1 to 64 of a-z, A-Z, 0-9, '.', '_' and '-'");
    }
    rules.name = name->get<std::string>();
    absl::Status status = ReadModels(&rules);
    status.Update(ReadPriority(&rules));
    status.Update(ReadRate("requests", &rules.requests));
    status.Update(ReadRate("tokens", &rules.tokens));
    if (!status.ok()) return status;
    return rules;
  }

  absl::StatusOr<std::vector<TokenHash>> Hashes() const {
    const Value* value = Find("sha256");
    std::vector<TokenHash> hashes;
    if (value != nullptr && value->is_array()) {
      for (const Value& element : *value) {
        hashes.emplace_back();
        if (!ReadHash(element, &hashes.back())) hashes.clear();
        if (hashes.empty()) break;
      }
    } else if (value != nullptr) {
      hashes.emplace_back();
      if (!ReadHash(*value, &hashes.back())) hashes.clear();
    }
    if (!hashes.empty()) return hashes;
    return Wrong("sha256", "the token's SHA-256 as 64 hex digits, or a list");
  }

  absl::Status Wrong(std::string_view key, absl::string_view expected) const {
    const absl::string_view field(key.data(), key.size());
    return absl::InvalidArgumentError(
        absl::StrCat("tokens[", index_, "]", field.empty() ? "" : ".", field,
                     ": expected ", expected));
  }

 private:
  const Value* Find(const std::string& key) const {
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }

  absl::Status ReadModels(AccountRules* rules) const {
    const Value* models = Find("models");
    if (models == nullptr) return absl::OkStatus();
    constexpr char kExpected[] = "a list of models' names";
    if (!models->is_array()) return Wrong("models", kExpected);
    rules->models.emplace();
    for (const Value& model : *models) {
      if (!model.is_string()) return Wrong("models", kExpected);
      rules->models->insert(model.get<std::string>());
    }
    return absl::OkStatus();
  }

  absl::Status ReadPriority(AccountRules* rules) const {
    const Value* name = Find("max_priority");
    if (name == nullptr) return absl::OkStatus();
    std::optional<Priority> priority;
    if (name->is_string())
      priority = ParsePriority(name->get_ref<const std::string&>());
    if (!priority.has_value())
      return Wrong("max_priority", "low, normal or high");
    rules->max_priority = *priority;
    return absl::OkStatus();
  }

  // A burst defaults to what a second brings, and is at least 1.
  absl::Status ReadRate(const std::string& of, std::optional<Rate>* out) const {
    const std::string rate_key = of + "_per_second";
    const std::string burst_key = of + "_burst";
    const Value* rate = Find(rate_key);
    const Value* burst = Find(burst_key);
    if (rate == nullptr) {
      return burst == nullptr
                 ? absl::OkStatus()
                 : Wrong(burst_key, absl::StrCat(rate_key, " beside it"));
    }
    const auto fits = [](const Value& value, double least) {
      return value.is_number() && value.get<double>() >= least &&
             value.get<double>() <= kMostPerSecond;
    };
    if (!fits(*rate, 0) || !(rate->get<double>() > 0))
      return Wrong(rate_key, "a number above 0, of at most 1e12");
    if (burst != nullptr && !fits(*burst, 1))
      return Wrong(burst_key, "a number from 1 to 1e12");
    const double per_second = rate->get<double>();
    *out = Rate{.per_second = per_second,
                .burst = burst == nullptr ? std::max(1.0, per_second)
                                          : burst->get<double>()};
    return absl::OkStatus();
  }

  const Value& value_;
  const size_t index_;
};

absl::StatusOr<Value> ReadList(std::string_view text) {
  if (text.size() > kMaxTokenFileBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected at most ", kMaxTokenFileBytes, " bytes, it has more"));
  }
  const absl::StatusOr<Value> document =
      json::Parse(text, {.unique_keys = true});
  if (!document.ok()) {
    // Only the place: the rest may quote the file.
    const absl::string_view message = document.status().message();
    const size_t end = std::min(message.find(", in "), message.find(": "));
    return absl::InvalidArgumentError(
        absl::StrCat("no valid JSON at ", message.substr(0, end)));
  }
  if (!document->is_object() || document->size() != 1 ||
      !document->contains("tokens") || !(*document)["tokens"].is_array()) {
    return absl::InvalidArgumentError(
        "expected an object of one key, tokens, which is a list");
  }
  return (*document)["tokens"];
}

}  // namespace

absl::StatusOr<TokenFile> ParseTokenFile(std::string_view text) {
  const absl::StatusOr<Value> list = ReadList(text);
  if (!list.ok()) return list.status();
  TokenFile file;
  std::set<std::string> names;
  std::set<TokenHash> known;
  for (size_t i = 0; i < list->size(); ++i) {
    const Entry entry((*list)[i], i);
    absl::StatusOr<AccountRules> rules = entry.Rules();
    if (!rules.ok()) return rules.status();
    const absl::StatusOr<std::vector<TokenHash>> hashes = entry.Hashes();
    if (!hashes.ok()) return hashes.status();
    if (!names.insert(rules->name).second)
      return entry.Wrong("name", "one that no other entry has");
    for (const TokenHash& hash : *hashes) {
      if (!known.insert(hash).second)
        return entry.Wrong("sha256", "hashes that stand nowhere else");
      file.hashes.push_back(hash);
      file.owners.push_back(i);
    }
    if (file.hashes.size() > kMaxTokenHashes) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected at most ", kMaxTokenHashes, " hashes"));
    }
    file.accounts.push_back(*std::move(rules));
  }
  return file;
}

TokenHash HashToken(std::string_view token) {
  TokenHash hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         hash.data());
  return hash;
}

std::optional<size_t> FindHash(std::span<const TokenHash> hashes,
                               const TokenHash& hash) {
  size_t found = 0;  // counted from 1
  for (size_t i = 0; i < hashes.size(); ++i) {
    const bool equal =
        CRYPTO_memcmp(hashes[i].data(), hash.data(), hash.size()) == 0;
    const size_t mask = size_t{0} - static_cast<size_t>(equal);
    found = (found & ~mask) | ((i + 1) & mask);
  }
  if (found == 0) return std::nullopt;
  return found - 1;
}

}  // namespace deberta::server
