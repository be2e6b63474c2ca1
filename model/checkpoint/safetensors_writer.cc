#include "model/checkpoint/safetensors_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "json/json.h"
#include "model/checkpoint/safetensors.h"
#include "model/checkpoint/untrusted_text.h"

namespace deberta::model {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are written as they lie in memory");

constexpr size_t kHeaderAlignment = 8;
constexpr size_t kChunkBytes = size_t{8} << 20;

using Tensors = std::vector<const TensorMap::value_type*>;

Tensors InFileOrder(const TensorMap& tensors) {
  Tensors order;
  for (const auto& entry : tensors) order.push_back(&entry);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) {
                     return SizeOf(a->second.dtype) > SizeOf(b->second.dtype);
                   });
  return order;
}

absl::StatusOr<std::string> Header(const Tensors& tensors) {
  auto header = nlohmann::ordered_json::object();
  header["__metadata__"]["format"] = "pt";
  uint64_t offset = 0;
  for (const auto* entry : tensors) {
    const auto& [name, tensor] = *entry;
    if (!IsUtf8(name)) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor ", Quoted(name), ": its name is not UTF-8"));
    }
    const uint64_t end = offset + tensor.bytes.size();
    header[name] = {{"dtype", ElementTypeName(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kHeaderAlignment - 1) / kHeaderAlignment *
                  kHeaderAlignment,
              ' ');
  const uint64_t size = text.size();
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bytes + text;
}

// An open file whose name messages repeat; closed on destruction.
class NewFile {
 public:
  explicit NewFile(const std::string& path)
      : path_(path),
        descriptor_(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                         0666)) {}
  ~NewFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  absl::Status Failure() const { return absl::ErrnoToStatus(errno, path_); }

  absl::Status Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failure();
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return absl::OkStatus();
  }

  absl::Status Finish() {
    if (fsync(descriptor_) != 0) return Failure();
    return close(std::exchange(descriptor_, -1)) == 0 ? absl::OkStatus()
                                                      : Failure();
  }

 private:
  const std::string path_;
  int descriptor_;
};

}  // namespace

absl::Status WriteSafetensors(const TensorMap& tensors, const std::string& path,
                              WriteObserver observer) {
  const Tensors order = InFileOrder(tensors);
  const absl::StatusOr<std::string> header = Header(order);
  if (!header.ok()) return header.status();
  uint64_t total = header->size();
  for (const auto* entry : order) total += entry->second.bytes.size();

  NewFile file(path);
  if (!file.is_open()) return file.Failure();
  absl::Status status =
      file.Write(std::as_bytes(std::span(header->data(), header->size())));
  uint64_t done = header->size();
  status.Update(observer(done, total));
  for (const auto* entry : order) {
    std::span<const std::byte> rest = entry->second.bytes;
    while (status.ok() && !rest.empty()) {
      const auto chunk = rest.first(std::min(rest.size(), kChunkBytes));
      rest = rest.subspan(chunk.size());
      status = file.Write(chunk);
      done += chunk.size();
      status.Update(observer(done, total));
    }
  }
  if (!status.ok()) return status;
  return file.Finish();
}

}  // namespace deberta::model
