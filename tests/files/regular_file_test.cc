#include "files/regular_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace deberta {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RegularFileTest : public testing::Test {
 protected:
  RegularFileTest()
      : root_(testing::TempDir() + "/regular_file_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~RegularFileTest() override { fs::remove_all(root_); }

  std::string File(const std::string& name) const { return root_ / name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name), std::ios::binary) << text;
  }
  absl::Status Refusal(const std::string& path) const {
    return ReadSmallFile(path, 1 << 20).status();
  }

  const fs::path root_;
};

TEST_F(RegularFileTest, ReadsAWholeFile) {
  std::string text(20'000'000, 'a');  // of several parts
  for (size_t i = 0; i < text.size(); i += 4099) text[i] = static_cast<char>(i);
  Write("file", text);
  const auto read = ReadSmallFile(File("file"), text.size());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == text);
  Write("empty", "");
  EXPECT_EQ(ReadSmallFile(File("empty"), 0).value(), "");
}

TEST_F(RegularFileTest, TellsTheObserverEachByteOnceInOrder) {
  const std::string text(20'000'000, 'b');
  Write("file", text + "the end");
  const auto file = RegularFile::Open(File("file"));
  ASSERT_TRUE(file.ok()) << file.status();
  std::string read(file->size(), '\0');
  std::string told;
  const absl::Status status = file->Read(
      std::as_writable_bytes(std::span(read)),
      [&told](std::span<const std::byte> bytes) {
        told.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(told == read);
  EXPECT_TRUE(told == text + "the end");
}

TEST_F(RegularFileTest, WhatIsNoFileIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo(File("fifo").c_str(), 0600), 0);
  fs::create_directory(File("directory"));
  fs::create_symlink("/dev/zero", File("endless"));
  fs::create_symlink(File("fifo"), File("link"));
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  const fs::path before = fs::current_path();
  fs::current_path(root_);  // a socket's path must be short
  std::strcpy(address.sun_path, "socket");
  ASSERT_EQ(
      bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)),
      0);
  fs::current_path(before);
  for (const char* name : {"fifo", "directory", "endless", "link", "socket"}) {
    const absl::Status status = Refusal(File(name));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_EQ(status.message(), File(name) + ": expected a regular file");
  }
  close(listener);
}

TEST_F(RegularFileTest, NamesWhatIsNotThereOrTooLarge) {
  EXPECT_EQ(Refusal(File("none")).code(), absl::StatusCode::kNotFound);
  Write("large", std::string(100, 'l'));
  const absl::Status status = ReadSmallFile(File("large"), 99).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("large: expected at most 99 bytes, got 100"));
}

// What was put in the file's place or done to it since it was opened.
TEST_F(RegularFileTest, ChangesWhileItIsReadAreNoticed) {
  const std::string text(1000, 't');
  const auto outcome = [&](auto change) {
    Write("file", text);
    const auto file = RegularFile::Open(File("file"));
    EXPECT_TRUE(file.ok()) << file.status();
    change();
    std::string read(file->size(), '\0');
    return file->Read(std::as_writable_bytes(std::span(read))).code();
  };
  EXPECT_EQ(outcome([&] { fs::resize_file(File("file"), 10); }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(outcome([&] { fs::resize_file(File("file"), 0); }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(outcome([&] { Write("file", text + "more"); }),
            absl::StatusCode::kDataLoss);
  EXPECT_EQ(outcome([&] {
              Write("file", std::string(1000, 'u'));
              fs::last_write_time(File("file"), fs::file_time_type());
            }),
            absl::StatusCode::kDataLoss);
  // The file that was opened is as it was.
  EXPECT_EQ(outcome([&] { fs::remove(File("file")); }), absl::StatusCode::kOk);
  EXPECT_EQ(outcome([&] {
              Write("other", "other");
              fs::rename(File("other"), File("file"));
            }),
            absl::StatusCode::kOk);
}

TEST_F(RegularFileTest, AnotherFileAtThePathIsNoticed) {
  Write("file", "one");
  const auto file = RegularFile::Open(File("file"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_TRUE(file->identity().Check(File("file")).ok());
  Write("other", "two");
  fs::rename(File("other"), File("file"));
  EXPECT_EQ(file->identity().Check(File("file")).code(),
            absl::StatusCode::kDataLoss);
  fs::remove(File("file"));
  EXPECT_EQ(file->identity().Check(File("file")).code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace deberta
