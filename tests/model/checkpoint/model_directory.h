// Hand-made checkpoint directories and weight files for tests.

#ifndef TESTS_MODEL_CHECKPOINT_MODEL_DIRECTORY_H_
#define TESTS_MODEL_CHECKPOINT_MODEL_DIRECTORY_H_

#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "model/checkpoint/tensor.h"

namespace deberta::model {

// An empty directory that lives as long as the object.
class ModelDirectory {
 public:
  ModelDirectory() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = absl::StrCat(testing::TempDir(), test->test_suite_name(), ".",
                         test->name(), ".", getpid());
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ModelDirectory() { std::filesystem::remove_all(path_); }
  ModelDirectory(const ModelDirectory&) = delete;
  ModelDirectory& operator=(const ModelDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const {
    return absl::StrCat(path_, "/", name);
  }

  void Write(const std::string& name, const std::string& contents) const {
    std::ofstream(File(name), std::ios::binary) << contents;
  }

 private:
  std::string path_;
};

// The bytes of a safetensors file with this header, whatever it says.
inline std::string SafetensorsBytes(const std::string& header,
                                    const std::string& data) {
  const uint64_t size = header.size();
  std::string bytes(sizeof(size), '\0');
  std::memcpy(bytes.data(), &size, sizeof(size));
  return bytes + header + data;
}

// The bytes of a well-formed file that holds `tensors`.
inline std::string SafetensorsBytes(const TensorMap& tensors) {
  std::string header;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.bytes.data()),
                tensor.bytes.size());
    absl::StrAppend(&header, header.empty() ? "" : ",", "\"", name,
                    "\":{\"dtype\":\"", ElementTypeName(tensor.dtype),
                    "\",\"shape\":", ShapeText(tensor.shape),
                    ",\"data_offsets\":[", begin, ",", data.size(), "]}");
  }
  return SafetensorsBytes("{" + header + "}", data);
}

inline std::span<const std::byte> AsBytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline std::string GoldenModel(const std::string& name) {
  return absl::StrCat(DEBERTA_SOURCE_DIR, "/tests/golden/models/", name);
}

}  // namespace deberta::model

#endif  // TESTS_MODEL_CHECKPOINT_MODEL_DIRECTORY_H_
