#include "model/checkpoint/zip.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/checkpoint/zip_bytes.h"

namespace deberta::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::map<std::string, std::string> Entries(const std::string& file) {
  const auto entries = ParseZip(AsBytes(file));
  EXPECT_TRUE(entries.ok()) << entries.status();
  std::map<std::string, std::string> texts;
  if (!entries.ok()) return texts;
  for (const auto& [name, bytes] : *entries) {
    texts[name].assign(reinterpret_cast<const char*>(bytes.data()),
                       bytes.size());
  }
  return texts;
}

std::string Refusal(const std::string& file) {
  const auto entries = ParseZip(AsBytes(file));
  EXPECT_EQ(entries.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(entries.status().message());
}

TEST(ZipTest, FindsStoredEntries) {
  EXPECT_THAT(Entries(ZipBytes({{.name = "a/data.pkl", .data = "first"},
                                {.name = "a/empty"},
                                {.name = "a/data/0", .data = "PK\x05\x06"}})),
              ElementsAre(Pair("a/data.pkl", "first"),
                          Pair("a/data/0", "PK\x05\x06"), Pair("a/empty", "")));
}

TEST(ZipTest, FindsEntriesWhoseLocalSizesAreLeftOut) {
  EXPECT_THAT(Entries(ZipBytes(
                  {{.name = "a", .data = "x", .flags = 8, .local_bytes = 0}})),
              ElementsAre(Pair("a", "x")));
}

TEST(ZipTest, SkipsAComment) {
  EXPECT_THAT(Entries(ZipBytes({{.name = "a", .data = "x"}},
                               {.comment = "no PK\x05\x06 end"})),
              ElementsAre(Pair("a", "x")));
}

TEST(ZipTest, ReadsAnEmptyArchive) {
  EXPECT_THAT(Entries(ZipBytes({})), IsEmpty());
}

TEST(ZipTest, ReadsZip64) {
  const std::string sizes = Bytes<uint16_t>(1) + Bytes<uint16_t>(24) +
                            Bytes<uint64_t>(3) + Bytes<uint64_t>(3) +
                            Bytes<uint64_t>(0);
  const std::vector<ZipEntry> entries = {{.name = "a",
                                          .data = "xyz",
                                          .bytes = 0xffffffff,
                                          .offset = 0xffffffff,
                                          .extra = sizes}};
  const ZipArchive plain = MakeZip(entries);
  const std::string end = Zip64End(1, plain.directory_bytes, plain.directory,
                                   plain.directory + plain.directory_bytes);
  EXPECT_THAT(Entries(ZipBytes(entries, {.entries = 0xffff,
                                         .bytes = 0xffffffff,
                                         .offset = 0xffffffff,
                                         .before = end})),
              ElementsAre(Pair("a", "xyz")));
  // Both records may say it.
  EXPECT_THAT(Entries(ZipBytes(entries, {.before = end})),
              ElementsAre(Pair("a", "xyz")));
  EXPECT_EQ(Refusal(ZipBytes(entries, {.entries = 2, .before = end})),
            "zip: the end record and the Zip64 one disagree");
  EXPECT_EQ(Refusal(ZipBytes(entries, {.offset = 0xffffffff})),
            "zip: no Zip64 locator");
}

TEST(ZipTest, RefusesMalformedZip64) {
  const std::vector<ZipEntry> entries = {{.name = "a", .data = "xyz"}};
  const ZipArchive plain = MakeZip(entries);
  const uint64_t at = plain.directory + plain.directory_bytes;
  EXPECT_THAT(
      Refusal(ZipBytes(entries, {.before = Zip64End(1, plain.directory_bytes,
                                                    plain.directory, 3)})),
      HasSubstr("no Zip64 end record at 3"));
  EXPECT_THAT(
      Refusal(ZipBytes(
          entries, {.before = Zip64End(1, plain.directory_bytes,
                                       plain.directory, uint64_t{1} << 60)})),
      HasSubstr("does not lie before its locator"));
  EXPECT_THAT(
      Refusal(ZipBytes(entries, {.bytes = 0xffffffff,
                                 .before = Zip64End(1, uint64_t{1} << 63,
                                                    plain.directory, at)})),
      HasSubstr("does not lie before the end record"));
  EXPECT_THAT(
      Refusal(ZipBytes({{.name = "a", .data = "x", .bytes = 0xffffffff}})),
      HasSubstr("malformed Zip64 field"));
}

TEST(ZipTest, RefusesEveryTruncation) {
  const std::string file =
      ZipBytes({{.name = "a", .data = "first"}, {.name = "b", .data = "x"}});
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(Refusal(file.substr(0, size)),
              "zip: no end record; incomplete download?");
  }
}

TEST(ZipTest, RefusesWhatIsNotStored) {
  EXPECT_EQ(Refusal(ZipBytes({{.name = "a", .data = "x", .method = 8}})),
            "zip: entry \"a\": compressed (method 8), expected stored");
  EXPECT_EQ(Refusal(ZipBytes({{.name = "a", .data = "x", .flags = 1}})),
            "zip: entry \"a\": encrypted");
}

TEST(ZipTest, RefusesANameTwice) {
  EXPECT_EQ(Refusal(ZipBytes({{.name = "a/data.pkl", .data = "x"},
                              {.name = "a/data.pkl", .data = "y"}})),
            "zip: entry \"a/data.pkl\": listed twice");
}

TEST(ZipTest, RefusesLyingSizes) {
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a", .data = "xy", .bytes = 1}})),
              HasSubstr("disagrees with the central directory"));
  EXPECT_EQ(Refusal(ZipBytes({{.name = "a", .data = "xy", .stored_bytes = 1}})),
            "zip: entry \"a\": stored in 1 bytes, holds 2");
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a",
                                 .data = "xy",
                                 .flags = 8,
                                 .bytes = 0xfffffffe,
                                 .local_bytes = 0}})),
              HasSubstr("of 4294967294 bytes, only 2 lie before"));
}

TEST(ZipTest, RefusesOverlaps) {
  // The second entry's header lies within the first one's data.
  const std::string inner = ZipBytes({{.name = "b", .data = "x"}});
  EXPECT_EQ(Refusal(ZipBytes({{.name = "a", .data = inner},
                              {.name = "b", .data = "x", .offset = 31}})),
            "zip: entry \"b\": overlaps entry \"a\"");
  // Or both are one.
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a", .data = "x"},
                                {.name = "a", .data = "x", .offset = 0}})),
              HasSubstr("listed twice"));
}

TEST(ZipTest, RefusesHeadersThatDisagree) {
  EXPECT_THAT(
      Refusal(ZipBytes({{.name = "a", .data = "x", .local_name = "b"}})),
      HasSubstr("disagrees with the central directory"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a", .data = "x", .offset = 1}})),
              HasSubstr("no header at 1"));
  EXPECT_THAT(Refusal(ZipBytes({{.name = "a", .data = "x", .offset = 99}})),
              HasSubstr("does not lie before the directory"));
}

TEST(ZipTest, RefusesLyingEndRecords) {
  const std::vector<ZipEntry> entries = {{.name = "a", .data = "x"}};
  EXPECT_EQ(Refusal(ZipBytes(entries, {.entries = 7})),
            "zip: the central directory holds 1 entries, the end record says "
            "7");
  EXPECT_THAT(Refusal(ZipBytes(entries, {.bytes = 46})),
              HasSubstr("ends within an entry"));
  EXPECT_THAT(Refusal(ZipBytes(entries, {.offset = 3})),
              HasSubstr("holds something else"));
  EXPECT_THAT(Refusal(ZipBytes(entries, {.offset = 1000})),
              HasSubstr("does not lie before the end record"));
  EXPECT_EQ(Refusal(ZipBytes(entries, {.comment_bytes = 5})),
            "zip: no end record; incomplete download?");
}

}  // namespace
}  // namespace deberta::model
