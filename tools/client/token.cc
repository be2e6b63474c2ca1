#include "tools/client/token.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace deberta::tools {

absl::StatusOr<std::string> TokenOf(std::istream& stream) {
  std::string token{std::istreambuf_iterator<char>(stream), {}};
  absl::StripTrailingAsciiWhitespace(&token);
  if (token.empty() || !std::all_of(token.begin(), token.end(), [](char c) {
        return absl::ascii_isgraph(static_cast<unsigned char>(c));
      })) {
    return absl::InvalidArgumentError(
        "a token is one word of printable ASCII characters");
  }
  return token;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  if (!path.empty()) {
    std::ifstream file(path);
    if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
    return TokenOf(file);
  }
  const char* const variable = std::getenv("DEBERTA_TOKEN");
  if (variable == nullptr || *variable == '\0') return "";
  std::istringstream text{std::string(variable)};
  return TokenOf(text);
}

std::string TokenSha256(std::string_view token) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
         hash.data());
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(hash.data()), hash.size()});
}

}  // namespace deberta::tools
