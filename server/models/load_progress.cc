#include "server/models/load_progress.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_format.h"

namespace deberta::server {
namespace {

constexpr char kClearLine[] = "\r\x1b[K";

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

}  // namespace

std::string FormatProgress(const std::string& model,
                           const model::LoadProgress& progress) {
  return absl::StrFormat("%s  %d/%d tensors  %.1f/%.1f MB", model,
                         progress.tensors_done, progress.tensors_total,
                         Megabytes(progress.bytes_done),
                         Megabytes(progress.bytes_total));
}

LoadProgressLine::LoadProgressLine(std::FILE* stream, std::string model)
    : stream_(stream),
      model_(std::move(model)),
      terminal_(isatty(fileno(stream)) == 1) {}

LoadProgressLine::~LoadProgressLine() {
  if (!terminal_) return;
  std::fputs(kClearLine, stream_);
  std::fflush(stream_);
}

void LoadProgressLine::Show(const model::LoadProgress& progress) {
  if (!terminal_) return;
  std::fprintf(stream_, "%s%s", kClearLine,
               FormatProgress(model_, progress).c_str());
  std::fflush(stream_);
}

}  // namespace deberta::server
