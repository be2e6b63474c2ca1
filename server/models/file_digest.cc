#include "server/models/file_digest.h"

#include <openssl/evp.h>

#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace deberta::server {

absl::StatusOr<std::string> Sha256OfFile(const std::string& path) {
  constexpr size_t kBufferBytes = size_t{1} << 20;
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot open ", path));
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> digest(
      EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  if (digest == nullptr ||
      EVP_DigestInit_ex(digest.get(), EVP_sha256(), nullptr) != 1)
    return absl::InternalError("OpenSSL has no SHA-256");
  std::vector<char> buffer(kBufferBytes);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    EVP_DigestUpdate(digest.get(), buffer.data(),
                     static_cast<size_t>(file.gcount()));
  }
  if (file.bad())
    return absl::DataLossError(absl::StrCat("cannot read ", path));
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(digest.get(), value, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(value), size});
}

}  // namespace deberta::server
