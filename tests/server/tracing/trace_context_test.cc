#include "server/tracing/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace deberta::server {
namespace {

// The example of the specification.
const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00f067aa0ba902b7";

std::string Header(const std::string& version, const std::string& trace,
                   const std::string& parent, const std::string& flags) {
  return version + "-" + trace + "-" + parent + "-" + flags;
}

TEST(TraceContextTest, ReadsTheSpecificationsExample) {
  EXPECT_EQ(ParseTraceParent(Header("00", kTrace, kParent, "01")),
            (TraceContext{kTrace, kParent, true}));
}

TEST(TraceContextTest, SampledIsOneBitOfTheFlags) {
  for (const auto& [flags, sampled] : {std::pair("00", false),
                                       {"01", true},
                                       {"02", false},
                                       {"03", true},
                                       {"fe", false},
                                       {"ff", true},
                                       {"0a", false},
                                       {"0b", true}}) {
    const auto context = ParseTraceParent(Header("00", kTrace, kParent, flags));
    ASSERT_TRUE(context.has_value()) << flags;
    EXPECT_EQ(context->sampled, sampled) << flags;
  }
}

TEST(TraceContextTest, LaterVersionsMayAppendFields) {
  const TraceContext expected = {kTrace, kParent, true};
  const std::string later = Header("01", kTrace, kParent, "01");
  EXPECT_EQ(ParseTraceParent(later), expected);
  EXPECT_EQ(ParseTraceParent(later + "-"), expected);
  EXPECT_EQ(ParseTraceParent(later + "-what \xff comes"), expected);
  EXPECT_FALSE(ParseTraceParent(later + "0").has_value());
  EXPECT_FALSE(
      ParseTraceParent(Header("00", kTrace, kParent, "01") + "-").has_value());
}

TEST(TraceContextTest, AnythingElseIsIgnored) {
  const std::string zeros(32, '0');
  std::string upper = kTrace;
  upper[1] = 'B';
  const std::string good = Header("00", kTrace, kParent, "01");
  for (const std::string& header :
       {std::string(), std::string("00"), std::string(1 << 16, '0'),
        std::string(55, '-'), std::string(55, '\0'), " " + good, good + " ",
        Header("ff", kTrace, kParent, "01"),
        Header("0g", kTrace, kParent, "01"), Header("00", upper, kParent, "01"),
        Header("00", zeros, kParent, "01"),
        Header("00", kTrace, zeros.substr(16), "01"),
        Header("00", kTrace, kParent, "0x"), Header("00", kTrace, kParent, "1"),
        Header("00", kTrace + "0", kParent, "1")}) {
    EXPECT_FALSE(ParseTraceParent(header).has_value()) << header.substr(0, 80);
  }
}

// Whatever one byte of a good one is changed into, or where it is cut.
TEST(TraceContextTest, EveryByteCounts) {
  const std::string good = Header("00", kTrace, kParent, "01");
  for (size_t i = 0; i < good.size(); ++i) {
    EXPECT_FALSE(ParseTraceParent(good.substr(0, i)).has_value()) << i;
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[i] = static_cast<char>(byte);
      const bool digit =
          (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
      // Version "0f" and so on are later ones; "ff" is two bytes away.
      const bool expected = good[i] == '-' ? byte == '-' : digit;
      EXPECT_EQ(ParseTraceParent(changed).has_value(), expected)
          << i << " " << byte;
    }
  }
}

}  // namespace
}  // namespace deberta::server
