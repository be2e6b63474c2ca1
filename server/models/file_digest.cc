#include "server/models/file_digest.h"

#include <openssl/evp.h>

#include "absl/strings/escaping.h"

namespace deberta::server {

// OpenSSL's functions fail for want of memory or of the algorithm alone: the
// digest is then that of nothing at all.
Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(context_, EVP_sha256(), nullptr);
}

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }

void Sha256::Add(std::span<const std::byte> bytes) {
  EVP_DigestUpdate(context_, bytes.data(), bytes.size());
}

std::string Sha256::Finish() {
  unsigned char value[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_, value, &size);
  return absl::BytesToHexString({reinterpret_cast<const char*>(value), size});
}

}  // namespace deberta::server
