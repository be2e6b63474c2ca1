// An input that stands for several text files: FF, which no UTF-8 has, ends
// each but the last.

#ifndef TESTS_FUZZ_FILE_PARTS_H_
#define TESTS_FUZZ_FILE_PARTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tokenizer/files/tokenizer_files.h"

namespace deberta::tokenizer {

class FileParts {
 public:
  FileParts(const uint8_t* input, size_t size)
      : rest_(std::string_view(reinterpret_cast<const char*>(input), size)) {}

  // The next file; nullopt after the last.
  std::optional<std::string> Next() {
    if (!rest_.has_value()) return std::nullopt;
    const size_t end = rest_->find('\xFF');
    std::string part(rest_->substr(0, end));
    if (end == rest_->npos) {
      rest_.reset();
    } else {
      rest_->remove_prefix(end + 1);
    }
    return part;
  }

  void NextSideFiles(TokenizerFiles* files) {
    files->tokenizer_config = Next();
    files->special_tokens_map = Next();
    files->added_tokens = Next();
  }

 private:
  std::optional<std::string_view> rest_;
};

}  // namespace deberta::tokenizer

#endif  // TESTS_FUZZ_FILE_PARTS_H_
