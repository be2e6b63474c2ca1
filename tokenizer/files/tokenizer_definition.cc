#include "tokenizer/files/tokenizer_definition.h"

#include "absl/strings/str_cat.h"
#include "tokenizer/text/absl_view.h"

namespace deberta::tokenizer {

absl::Status InFile(std::string_view file, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(ToAbsl(file), ": ", status.message()));
}

}  // namespace deberta::tokenizer
