#include "server/base/bus_error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace deberta::server {
namespace {

// Maps a page of a file that is then cut short, and reads it.
void ReadBeyondTheCut(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
  constexpr size_t kBytes = 4096;
  if (file < 0 || ftruncate(file, kBytes) != 0) std::exit(2);
  const auto* mapped = static_cast<const volatile char*>(
      mmap(nullptr, kBytes, PROT_READ, MAP_PRIVATE, file, 0));
  if (ftruncate(file, 0) != 0) std::exit(2);
  static_cast<void>(mapped[0]);
  std::exit(0);
}

// A weights file that is overwritten where it stands (cp) ended the server
// without a word.
TEST(BusErrorDeathTest, NamesTheFileThatWasCutShort) {
  const std::string path = testing::TempDir() + "cut \"short\".safetensors";
  EXPECT_EXIT(
      {
        NameFileOnBusError();
        ReadBeyondTheCut(path);
      },
      testing::ExitedWithCode(1),
      "\"file\":\".*/cut \\?short\\?.safetensors\"");
  unlink(path.c_str());
}

}  // namespace
}  // namespace deberta::server
