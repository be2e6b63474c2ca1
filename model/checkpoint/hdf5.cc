#include "model/checkpoint/hdf5.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "model/checkpoint/child_process.h"

namespace deberta::model {
namespace {

constexpr char kProgram[] = "deberta-read-hdf5";
// Some 100 bytes a tensor; 48 layers have fewer than 1000.
constexpr size_t kMaxTableBytes = size_t{16} << 20;
constexpr size_t kMaxMessage = 500;
// The library wants one, and so do we: anything else is another format.
constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";

// The child's words, as one line that can be printed.
std::string Printable(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > kMaxMessage) text.resize(kMaxMessage);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = ' ';
  }
  return text;
}

absl::Status Refused(const std::string& path, const ChildOutput& output) {
  const std::string said = Printable(output.text);
  // Exit status 1 is a refusal, and its words say all.
  const std::string why = output.failure == "exit status 1" && !said.empty()
                              ? said
                              : absl::StrCat(kProgram, ": ", output.failure,
                                             said.empty() ? "" : ": ", said);
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", why));
}

}  // namespace

absl::StatusOr<SafetensorsContents> ReadHdf5(const LoadedFile& file,
                                             const Hdf5Reader& reader) {
  const std::string& path = file.path();
  const std::string_view text(
      reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
  if (!text.starts_with(kSignature)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": not an HDF5 file; incomplete download?"));
  }
  const absl::StatusOr<ChildOutput> output =
      RunChild({reader.program, path},
               {.time = reader.limit, .output_bytes = kMaxTableBytes});
  if (!output.ok()) {
    return absl::Status(
        output.status().code(),
        absl::StrCat(path, ": needs the program ", kProgram, ", looked for at ",
                     reader.program, " (", output.status().message(),
                     "); or make model.safetensors of it with "
                     "deberta-convert"));
  }
  if (!output->failure.empty()) return Refused(path, *output);
  // The child opened the path itself.
  if (absl::Status s = file.CheckSame(); !s.ok()) return s;
  auto contents =
      ParseTensorTable(std::as_bytes(std::span(output->text)), file.bytes());
  if (contents.ok()) return contents;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": ", contents.status().message()));
}

std::string Hdf5ReaderBesideProgram() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return kProgram;
  return program.parent_path() / kProgram;
}

}  // namespace deberta::model
