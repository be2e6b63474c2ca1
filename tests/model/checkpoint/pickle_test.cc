#include "model/checkpoint/pickle.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/checkpoint/model_directory.h"
#include "tests/model/checkpoint/pickle_bytes.h"

namespace deberta::model {
namespace {

using testing::HasSubstr;
using Kind = PickleValue::Kind;

constexpr PickleGlobal kGlobals[] = {{"pkg.Class"}, {"pkg.make", true}};

absl::StatusOr<Pickle> Parse(const std::string& bytes) {
  return Pickle::Parse(AsBytes(bytes), kGlobals);
}

std::string Refusal(const std::string& bytes) {
  const auto pickle = Parse(bytes);
  EXPECT_EQ(pickle.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(pickle.status().message());
}

TEST(PickleTest, ReadsEveryLiteral) {
  const std::string bytes =
      PickleBytes("(N\x88\x89J\xff\xff\xff\xffK\xffM\xff\xff" + Long(-2) +
                  "\x8a\x01\x80\x8a" + std::string(1, '\0') + "\x8a\x09" +
                  std::string(9, '\1') + "G" + std::string(8, '\0') +
                  Text("\xc3\xa9") + "\x8c\x01z" + "\x8d" + Bytes<uint64_t>(1) +
                  "yU\x01xT" + Bytes<uint32_t>(1) + "w" + "t");
  const auto pickle = Parse(bytes);
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  ASSERT_TRUE(pickle->root().Is(Kind::kTuple));
  const auto items = pickle->Items(pickle->root());
  ASSERT_EQ(items.size(), 16u);
  EXPECT_TRUE(items[0].Is(Kind::kNone));
  EXPECT_TRUE(items[1].Is(Kind::kBool));
  EXPECT_EQ(items[1].number, 1);
  EXPECT_EQ(items[2].number, 0);
  EXPECT_EQ(items[3].number, -1);
  EXPECT_EQ(items[4].number, 255);
  EXPECT_EQ(items[5].number, 65535);
  EXPECT_EQ(items[6].number, -2);
  EXPECT_EQ(items[7].number, -128);
  EXPECT_TRUE(items[8].Is(Kind::kInt));
  EXPECT_EQ(items[8].number, 0);
  EXPECT_TRUE(items[9].Is(Kind::kLong));
  EXPECT_EQ(pickle->Text(items[9]), std::string(9, '\1'));
  EXPECT_TRUE(items[10].Is(Kind::kFloat));
  EXPECT_EQ(pickle->Text(items[11]), "\xc3\xa9");
  EXPECT_EQ(pickle->Text(items[12]), "z");
  EXPECT_EQ(pickle->Text(items[13]), "y");
  EXPECT_EQ(pickle->Text(items[14]), "x");
  EXPECT_EQ(pickle->Text(items[15]), "w");
}

TEST(PickleTest, FillsContainers) {
  const std::string list =
      "]NaK\x01"
      "a(K\x02K\x03"
      "e";
  const std::string dict =
      "}" + Text("a") + "Ns(" + Text("b") + "N" + Text("c") + "Nu";
  const std::string bytes = PickleBytes("(" + list + dict + "NN\x86t");
  const auto pickle = Parse(bytes);
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  const auto items = pickle->Items(pickle->root());
  ASSERT_EQ(items.size(), 3u);
  ASSERT_TRUE(items[0].Is(Kind::kList));
  const auto numbers = pickle->Items(items[0]);
  ASSERT_EQ(numbers.size(), 4u);
  EXPECT_TRUE(numbers[0].Is(Kind::kNone));
  EXPECT_EQ(numbers[1].number, 1);
  EXPECT_EQ(numbers[3].number, 3);
  ASSERT_TRUE(items[1].Is(Kind::kDict));
  const auto entries = pickle->Items(items[1]);
  ASSERT_EQ(entries.size(), 6u);
  EXPECT_EQ(pickle->Text(entries[0]), "a");
  EXPECT_EQ(pickle->Text(entries[2]), "b");
  EXPECT_EQ(pickle->Text(entries[4]), "c");
  ASSERT_TRUE(items[2].Is(Kind::kTuple));
  EXPECT_EQ(pickle->Items(items[2]).size(), 2u);
}

TEST(PickleTest, RemembersByIndexAndInOrder) {
  const std::string bytes =
      PickleBytes("(K\x07q\x09K\x08\x94h\x09h\x01j" + Bytes<uint32_t>(9) + "r" +
                  Bytes<uint32_t>(0xffffffff) + "t");
  const auto pickle = Parse(bytes);
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  std::vector<int64_t> numbers;
  for (const PickleValue& item : pickle->Items(pickle->root())) {
    numbers.push_back(item.number);
  }
  EXPECT_THAT(numbers, testing::ElementsAre(7, 8, 7, 8, 7));
}

TEST(PickleTest, RecordsCallsWithoutMakingThem) {
  const std::string bytes = PickleBytes(Global("pkg", "make") + "K\x05\x85R");
  const auto pickle = Parse(bytes);
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  ASSERT_TRUE(pickle->root().Is(Kind::kCall));
  const auto call = pickle->Items(pickle->root());
  EXPECT_EQ(call[0].number, 1);
  EXPECT_EQ(pickle->Items(call[1])[0].number, 5);
}

TEST(PickleTest, StopsAtTheFirstStop) {
  const std::string bytes = PickleBytes("K\x05");
  const auto pickle = Parse(bytes + "not read");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  EXPECT_EQ(pickle->size(), bytes.size());
}

TEST(PickleTest, RefusesForeignGlobalsByName) {
  const std::string refusal =
      Refusal(PickleBytes(Global("os", "system") + Text("true") + "\x85R"));
  EXPECT_THAT(refusal, HasSubstr("byte 2: global \"os\" \"system\" is not"));
  EXPECT_THAT(Refusal(PickleBytes(Text("posix") + Text("system") + "\x93")),
              HasSubstr("global \"posix\" \"system\" is not"));
  // A nested pickle would be run by a call.
  EXPECT_THAT(Refusal(PickleBytes(Global("_pickle", "loads") + Text("cos\n"))),
              HasSubstr("global \"_pickle\" \"loads\" is not"));
  // A name that only begins or ends as one of the list.
  for (const char* name : {"make2", "mak", ""}) {
    EXPECT_THAT(Refusal(PickleBytes(Global("pkg", name))),
                HasSubstr("is not among those"));
  }
  EXPECT_THAT(Refusal(PickleBytes(Global("pkg.make", ""))),
              HasSubstr("is not among those"));
}

TEST(PickleTest, KeepsMessagesShortAndPrintable) {
  const std::string refusal =
      Refusal(PickleBytes(Global(std::string(5000, 'x') + "\x1b\xff", "\xff")));
  EXPECT_LT(refusal.size(), 500u);
  for (const char c : refusal) EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(PickleTest, RefusesForeignOpcodesByName) {
  EXPECT_EQ(Refusal(PickleBytes(")\x81")),
            "pickle: byte 3: opcode NEWOBJ is not among those that weights "
            "need");
  EXPECT_THAT(Refusal("(ios\nsystem\n."), HasSubstr("byte 1: opcode INST is"));
  EXPECT_THAT(Refusal(std::string("\x80\x02o")), HasSubstr("opcode OBJ is"));
  EXPECT_THAT(Refusal("\x82\x01."), HasSubstr("opcode EXT1 is"));
  EXPECT_THAT(Refusal("\xff"), HasSubstr("opcode 0xff is"));
}

TEST(PickleTest, RefusesCallsOfWhatIsNoFunction) {
  EXPECT_THAT(Refusal(PickleBytes(Global("pkg", "Class") + ")R")),
              HasSubstr("calls \"pkg.Class\""));
  EXPECT_THAT(Refusal(PickleBytes(Text("x") + ")R")),
              HasSubstr("calls a str with a tuple"));
  EXPECT_THAT(Refusal(PickleBytes(Global("pkg", "make") + "]R")),
              HasSubstr("calls a global with a list"));
  EXPECT_THAT(
      Refusal(PickleBytes(Global("collections", "OrderedDict") + "]\x85R")),
      HasSubstr("calls collections.OrderedDict with arguments"));
}

TEST(PickleTest, RefusesStateOfAnythingButDicts) {
  EXPECT_TRUE(Parse(PickleBytes("}}b")).ok());
  EXPECT_THAT(Refusal(PickleBytes("}Nb")),
              HasSubstr("sets the state of a dict to a None"));
  EXPECT_THAT(Refusal(PickleBytes(Global("pkg", "make") + ")R}b")),
              HasSubstr("sets the state of a tensor to a dict"));
}

TEST(PickleTest, RefusesEveryTruncation) {
  const std::string bytes =
      PickleBytes(Dict({Text("name"), Long(1), Text("other"),
                        Global("pkg", "make") + "K\x01\x85R"}));
  ASSERT_TRUE(Parse(bytes).ok());
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(Refusal(bytes.substr(0, size)),
                HasSubstr("cut short; incomplete download?"))
        << size;
  }
}

TEST(PickleTest, RefusesLyingLengths) {
  EXPECT_THAT(Refusal(PickleBytes("X\xff\xff\xff\xff"
                                  "abc")),
              HasSubstr("cut short"));
  EXPECT_THAT(
      Refusal(PickleBytes("\x8d" + Bytes(uint64_t{10'000'000'000}) + "abc")),
      HasSubstr("cut short"));
  EXPECT_THAT(Refusal(PickleBytes("\x95" + Bytes(UINT64_MAX) + "N")),
              HasSubstr("cut short"));
  EXPECT_THAT(Refusal(PickleBytes("T\xff\xff\xff\xff"
                                  "abc")),
              HasSubstr("cut short"));
}

TEST(PickleTest, RefusesAnEmptyStack) {
  for (const char* body :
       {"0",    "a",    "Na",      "s",     "NNs",  "u",    "e", "(e",
        "(u",   "t",    "\x85",    "N\x86", "R",    "b",    "Q", "q\1",
        "\x94", "\x93", "(N0\x85", "N(a",   "N(NR", "N(q\1"}) {
    EXPECT_THAT(Refusal(PickleBytes(body)), HasSubstr("takes more")) << body;
  }
}

TEST(PickleTest, RefusesWhatFitsNoContainer) {
  EXPECT_THAT(Refusal(PickleBytes("}Na")), HasSubstr("adds 1 items to a dict"));
  EXPECT_THAT(Refusal(PickleBytes("]NNs")),
              HasSubstr("adds 2 items to a list"));
  EXPECT_THAT(Refusal(PickleBytes("}(Nu")),
              HasSubstr("adds 1 items to a dict"));
  EXPECT_THAT(Refusal(PickleBytes(")Na")),
              HasSubstr("adds 1 items to a tuple"));
  EXPECT_THAT(Refusal(PickleBytes("h\1")),
              HasSubstr("nothing was remembered as 1"));
}

TEST(PickleTest, RefusesAStopWithMoreOrLess) {
  EXPECT_THAT(Refusal(PickleBytes("")), HasSubstr("stops with 0 values"));
  EXPECT_THAT(Refusal(PickleBytes("NN")), HasSubstr("stops with 2 values"));
  EXPECT_THAT(Refusal(PickleBytes("N(")),
              HasSubstr("stops with 1 values and 1 marks"));
}

TEST(PickleTest, RefusesTextsThatAreNotUtf8) {
  for (const char* text : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80",
                           "\xf4\x90\x80\x80", "\xe0\x80\x80", "a\x80"}) {
    EXPECT_THAT(Refusal(PickleBytes(Text(text))), HasSubstr("not UTF-8"));
  }
  for (const char* text :
       {"\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf",
        "\xe0\xa0\x80", "\xf0\x90\x80\x80"}) {
    EXPECT_TRUE(Parse(PickleBytes(Text(text))).ok());
  }
}

TEST(PickleTest, RefusesNewerProtocols) {
  EXPECT_THAT(Refusal("\x80\x06N."), HasSubstr("protocol 6"));
}

TEST(PickleTest, SharesWhatDoublesWithEveryLevel) {
  // Each tuple holds the one before twice: 2^100000 leaves.
  std::string body = "N\x94";
  for (int level = 0; level < 100'000; ++level)
    body += "0j" + Bytes(level) + "j" + Bytes(level) + "\x86\x94";
  EXPECT_TRUE(Parse(PickleBytes(body)).ok());
}

TEST(PickleTest, NestsAsDeepAsTheFileDoes) {
  const int kDepth = 1'000'000;
  std::string body = "N";
  body.append(kDepth, '\x85');
  EXPECT_TRUE(Parse(PickleBytes(body)).ok());
  EXPECT_TRUE(Parse(PickleBytes(std::string(kDepth, ']') +
                                std::string(kDepth - 1, 'a')))
                  .ok());
}

TEST(PickleTest, HoldsACycle) {
  EXPECT_TRUE(Parse(PickleBytes("]q\1h\1a}q\2" + Text("a") + "h\2s0")).ok());
}

TEST(PickleTest, RefusesMoreOpcodesThanItsLimit) {
  std::string body;
  for (int i = 0; i < 2'100'000; ++i) body += "N0";
  EXPECT_THAT(Refusal(PickleBytes(body + "N")),
              HasSubstr("more than 4000000 opcodes"));
  EXPECT_THAT(Refusal(PickleBytes(std::string(4'000'000, '('))),
              HasSubstr("more than 4000000 opcodes"));
}

TEST(PickleTest, RefusesMoreBytesThanItsLimit) {
  const std::string wide(size_t{33} << 20, 'x');
  EXPECT_THAT(Refusal(PickleBytes(Text(wide) + "0" + Text(wide))),
              HasSubstr("more than 67108864 bytes"));
}

}  // namespace
}  // namespace deberta::model
