// The file of --tokens_file: who may call, by the hashes of their tokens.
//
//   {"tokens": [{"name": "search",
//                "sha256": "64 hex digits", or a list of them,
//                "models": ["classifier"],
//                "requests_per_second": 10, "requests_burst": 20,
//                "tokens_per_second": 5000, "tokens_burst": 20000,
//                "max_priority": "normal"}]}
//
// All but the first two may be left out.

#ifndef SERVER_SECURITY_TOKEN_FILE_H_
#define SERVER_SECURITY_TOKEN_FILE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "server/security/account.h"

namespace deberta::server {

using TokenHash = std::array<uint8_t, 32>;  // SHA-256

inline constexpr size_t kMaxTokenFileBytes = size_t{1} << 20;
inline constexpr size_t kMaxTokenHashes = 4096;

struct TokenFile {
  std::vector<AccountRules> accounts;  // of different names
  std::vector<TokenHash> hashes;       // all different
  std::vector<size_t> owners;          // the account of each
};

// InvalidArgument says which entry and field is wrong, and never quotes the
// file: someone may have written a token where its hash belongs.
absl::StatusOr<TokenFile> ParseTokenFile(std::string_view text);

TokenHash HashToken(std::string_view token);

// The index of `hash`, the last where several are equal. Looks at every one,
// and takes as long whichever it is.
std::optional<size_t> FindHash(std::span<const TokenHash> hashes,
                               const TokenHash& hash);

}  // namespace deberta::server

#endif  // SERVER_SECURITY_TOKEN_FILE_H_
