// SHA-256 of bytes that come part by part.

#ifndef SERVER_MODELS_FILE_DIGEST_H_
#define SERVER_MODELS_FILE_DIGEST_H_

#include <openssl/types.h>

#include <cstddef>
#include <span>
#include <string>

namespace deberta::server {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void Add(std::span<const std::byte> bytes);
  // 64 lower-case hexadecimal digits. Once, and nothing is added after it.
  std::string Finish();

 private:
  EVP_MD_CTX* const context_;
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_FILE_DIGEST_H_
