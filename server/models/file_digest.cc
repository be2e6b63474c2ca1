#include "server/models/file_digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"

namespace deberta::server {

absl::StatusOr<std::string> Sha256(const model::MappedFile& file) {
  // Whole pages, or nothing of a step could be given back.
  constexpr size_t kStepBytes = size_t{1} << 20;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (digest == nullptr ||
      EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1)
    return absl::InternalError("OpenSSL has no SHA-256");
  for (std::span<const std::byte> left = file.bytes(); !left.empty();) {
    const std::span<const std::byte> step =
        left.first(std::min(left.size(), kStepBytes));
    EVP_DigestUpdate(digest.get(), step.data(), step.size());
    file.Release(step);
    left = left.subspan(step.size());
  }
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), value, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(value), size});
}

}  // namespace deberta::server
