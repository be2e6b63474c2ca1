#include "model/checkpoint/safetensors_writer.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/checkpoint/loaded_file.h"
#include "model/checkpoint/safetensors.h"
#include "tests/model/checkpoint/model_directory.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;

absl::Status Go(uint64_t, uint64_t) { return absl::OkStatus(); }

TensorView View(DType dtype, std::vector<int64_t> shape,
                std::string_view bytes) {
  return {dtype, std::move(shape),
          std::as_bytes(std::span(bytes.data(), bytes.size()))};
}

TEST(SafetensorsWriterTest, WritesWhatIsReadBack) {
  const ModelDirectory directory;
  constexpr std::string_view bytes = "0123456789abcdefghijklmnopqrstuv";
  const TensorMap tensors = {
      {"half", View(DType::kF16, {3}, bytes.substr(0, 6))},
      {"z.wide", View(DType::kF64, {2, 1}, bytes.substr(0, 16))},
      {"brain", View(DType::kBF16, {}, bytes.substr(1, 2))},
      {"empty", View(DType::kF32, {0, 4}, "")},
      {"float \"q\" \xc3\xa9", View(DType::kF32, {2, 3}, bytes.substr(3, 24))},
  };
  const std::string path = directory.File("model.safetensors");
  uint64_t last = 0;
  uint64_t whole = 0;
  const absl::Status status =
      WriteSafetensors(tensors, path, [&](uint64_t done, uint64_t total) {
        EXPECT_GE(done, last);
        last = done;
        whole = total;
        return absl::OkStatus();
      });
  ASSERT_TRUE(status.ok()) << status;
  const auto file = LoadedFile::Read(path);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(last, file->bytes().size());
  EXPECT_EQ(whole, file->bytes().size());
  const auto read = ParseSafetensors(file->bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->framework, "pt");
  ASSERT_EQ(read->tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const TensorView& got = read->tensors.at(name);
    EXPECT_EQ(got.dtype, tensor.dtype) << name;
    EXPECT_EQ(got.shape, tensor.shape) << name;
    ASSERT_EQ(got.bytes.size(), tensor.bytes.size()) << name;
    EXPECT_TRUE(
        std::equal(got.bytes.begin(), got.bytes.end(), tensor.bytes.begin()))
        << name;
    const auto offset =
        static_cast<size_t>(got.bytes.data() - file->bytes().data());
    if (!got.bytes.empty()) {
      EXPECT_EQ(offset % SizeOf(got.dtype), 0u) << name;
    }
  }
}

TEST(SafetensorsWriterTest, LeavesOtherFilesAlone) {
  const ModelDirectory directory;
  directory.Write("a", "mine");
  EXPECT_EQ(WriteSafetensors({}, directory.File("a"), Go).code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(WriteSafetensors({}, directory.File("no/a"), Go).code(),
            absl::StatusCode::kNotFound);
}

TEST(SafetensorsWriterTest, StopsWhenTold) {
  const ModelDirectory directory;
  const std::string bytes(size_t{20} << 20, 'x');
  const TensorMap tensors = {
      {"a", View(DType::kF32, {int64_t{5} << 20}, bytes)}};
  int calls = 0;
  const absl::Status status =
      WriteSafetensors(tensors, directory.File("a"), [&](uint64_t, uint64_t) {
        return ++calls < 2 ? absl::OkStatus() : absl::CancelledError("stop");
      });
  EXPECT_EQ(status, absl::CancelledError("stop"));
  EXPECT_EQ(calls, 2);
}

TEST(SafetensorsWriterTest, TellsThatNoMoreCanBeWritten) {
  const ModelDirectory directory;
  const std::string bytes(size_t{1} << 20, 'x');
  const TensorMap tensors = {
      {"a", View(DType::kF32, {int64_t{1} << 18}, bytes)}};
  // A limit on the size of files fails in the middle, as a full disk does.
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {size_t{1} << 16, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status =
      WriteSafetensors(tensors, directory.File("a"), Go);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(directory.File("a")));
}

TEST(SafetensorsWriterTest, RefusesNamesThatAreNotUtf8) {
  const ModelDirectory directory;
  const absl::Status status = WriteSafetensors(
      {{"\xff", View(DType::kF32, {0}, "")}}, directory.File("a"), Go);
  EXPECT_EQ(status.message(), "tensor \"\\xff\": its name is not UTF-8");
}

}  // namespace
}  // namespace deberta::model
