#include "server/rpc/gunzip.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

namespace deberta::server {
namespace {

std::string Zip(const std::string& text) {
  z_stream stream = {};
  constexpr int kGzip = 16 + MAX_WBITS;
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, kGzip, 9, Z_DEFAULT_STRATEGY),
            Z_OK);
  std::string zipped(deflateBound(&stream, text.size()), '\0');
  std::string input = text;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
  stream.avail_out = static_cast<uInt>(zipped.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  zipped.resize(stream.total_out);
  deflateEnd(&stream);
  return zipped;
}

TEST(GunzipTest, UnpacksUpToTheLimit) {
  const std::string text(100'000, 'a');
  const std::string zipped = Zip(text);
  EXPECT_TRUE(IsGzip(zipped));
  const auto whole = Gunzip(zipped, text.size());
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(*whole, text);
  EXPECT_TRUE(
      absl::IsResourceExhausted(Gunzip(zipped, text.size() - 1).status()));
  EXPECT_EQ(*Gunzip(Zip(""), 0), "");
}

TEST(GunzipTest, WhatIsNoGzipIsRefused) {
  EXPECT_FALSE(IsGzip(""));
  EXPECT_FALSE(IsGzip("\x1f"));
  EXPECT_FALSE(IsGzip("\x0a\x01m"));
  EXPECT_FALSE(Gunzip("", 100).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Gunzip("\x1f\x8b junk", 100).status()));
}

// Each is refused, or was whole: never a part of the text.
TEST(GunzipTest, EveryCutAndEveryChangedByteIsToldOrHarmless) {
  const std::string text = "to be unpacked, or to be refused";
  const std::string zipped = Zip(text);
  for (size_t size = 0; size < zipped.size(); ++size)
    EXPECT_FALSE(Gunzip(zipped.substr(0, size), 1000).ok()) << size;
  for (size_t at = 0; at < zipped.size(); ++at) {
    std::string changed = zipped;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    const auto unpacked = Gunzip(changed, 1000);
    EXPECT_EQ(unpacked.value_or(text), text) << at;
  }
}

}  // namespace
}  // namespace deberta::server
