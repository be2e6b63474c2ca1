#include "server/net/frame_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "tests/server/net/frames.h"

namespace deberta::server {
namespace {

constexpr ConnectionLimits kLimits = {.max_streams = 10,
                                      .max_header_block_bytes = 1000,
                                      .max_resets_per_second = 5};
const absl::Time kStart = absl::UnixEpoch();

class FrameScannerTest : public testing::Test {
 protected:
  FrameScannerTest() { EXPECT_EQ(Client(kPreface), std::nullopt); }
  std::optional<CloseReason> Client(const std::string& bytes) {
    return scanner_.FromClient(bytes, now_);
  }
  std::optional<CloseReason> Server(const std::string& bytes) {
    return scanner_.ToClient(bytes, now_);
  }

  ConnectionLimits limits_ = kLimits;
  PeerBudget peer_{limits_};
  FrameScanner scanner_{&limits_, &peer_};
  absl::Time now_ = kStart;
};

TEST_F(FrameScannerTest, AnythingButThePrefaceIsNoHttp2) {
  FrameScanner scanner(&limits_, nullptr);
  EXPECT_EQ(scanner.FromClient("PRI * HT", now_), std::nullopt);
  EXPECT_FALSE(scanner.has_preface());
  EXPECT_EQ(scanner.FromClient("TP/1", now_), CloseReason::kProtocol);
}

TEST_F(FrameScannerTest, CountsOpenStreams) {
  EXPECT_EQ(Client(Headers(1) + Headers(3) + Headers(5)), std::nullopt);
  EXPECT_EQ(scanner_.open_streams(), 3u);
  EXPECT_EQ(Server(Trailers(3)), std::nullopt);
  // The server, then the client, reset what is answered: nothing happens.
  EXPECT_EQ(Server(Reset(3)), std::nullopt);
  EXPECT_EQ(Client(Reset(3)), std::nullopt);
  EXPECT_EQ(Client(Reset(5)), std::nullopt);
  EXPECT_EQ(scanner_.open_streams(), 1u);
}

TEST_F(FrameScannerTest, MoreStreamsThanAllowed) {
  for (uint32_t i = 0; i < 10; ++i)
    EXPECT_EQ(Client(Headers(2 * i + 1)), std::nullopt);
  EXPECT_EQ(Client(Headers(21)), CloseReason::kStreams);
}

TEST_F(FrameScannerTest, ResetsHaveARate) {
  uint32_t stream = 1;
  const auto open_and_reset = [&] {
    const auto reason = Client(Headers(stream) + Reset(stream));
    stream += 2;
    return reason;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(open_and_reset(), std::nullopt);
  now_ += absl::Seconds(1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(open_and_reset(), std::nullopt);
  EXPECT_EQ(open_and_reset(), CloseReason::kResets);
}

// CVE-2025-8671: what the client sends makes the server reset its streams.
TEST_F(FrameScannerTest, ResetsThatTheServerIsMadeToSendCountToo) {
  for (uint32_t stream = 1; stream < 21; stream += 2) {
    EXPECT_EQ(Client(Headers(stream)), std::nullopt);
    EXPECT_EQ(Server(Reset(stream)), std::nullopt);
  }
  EXPECT_EQ(Client(Headers(21)), std::nullopt);
  EXPECT_EQ(Server(Reset(21)), CloseReason::kResets);
}

TEST_F(FrameScannerTest, ConnectionsOfAPeerShareItsResets) {
  const auto spend = [&](FrameScanner* scanner) {
    EXPECT_EQ(scanner->FromClient(kPreface, now_), std::nullopt);
    for (uint32_t stream = 1; stream < 21; stream += 2) {
      const auto reason =
          scanner->FromClient(Headers(stream) + Reset(stream), now_);
      if (reason.has_value()) return reason;
    }
    return std::optional<CloseReason>();
  };
  for (int i = 0; i < 4; ++i) {
    FrameScanner scanner(&limits_, &peer_);
    EXPECT_EQ(spend(&scanner), std::nullopt);
  }
  FrameScanner fifth(&limits_, &peer_);
  EXPECT_EQ(spend(&fifth), CloseReason::kResets);
}

TEST_F(FrameScannerTest, HeaderBlocksHaveALimit) {
  EXPECT_EQ(Client(Headers(1, std::string(1000, 'a'))), std::nullopt);
  EXPECT_EQ(Client(Frame(frame::kHeaders, 0, 3, std::string(500, 'a'))),
            std::nullopt);
  EXPECT_TRUE(scanner_.amid_headers());
  EXPECT_EQ(Client(Frame(frame::kContinuation, 0, 3, std::string(500, 'a'))),
            std::nullopt);
  EXPECT_EQ(Client(Frame(frame::kContinuation, 0, 3, "a")),
            CloseReason::kHeaders);
}

TEST_F(FrameScannerTest, NothingStandsWithinAHeaderBlock) {
  EXPECT_EQ(Client(Frame(frame::kHeaders, 0, 1, "a")), std::nullopt);
  EXPECT_EQ(Client(Frame(frame::kPing, 0, 0, "12345678")),
            CloseReason::kProtocol);
}

TEST_F(FrameScannerTest, ContinuationOfNothing) {
  EXPECT_EQ(Client(Frame(frame::kContinuation, 0, 1)), CloseReason::kProtocol);
}

TEST_F(FrameScannerTest, FramesThatCarryNothingHaveALimit) {
  EXPECT_EQ(Client(Headers(1)), std::nullopt);
  const std::string idle[] = {Frame(frame::kPing, 0, 0, "12345678"),
                              Frame(frame::kSettings, 0, 0),
                              Frame(8, 0, 0, "abcd"),  // WINDOW_UPDATE
                              Frame(2, 0, 1, "abcde"),
                              Frame(0xee, 0, 0),
                              Frame(frame::kData, 0, 1),
                              Frame(frame::kData, 0, 1, "a"),
                              Reset(1001)};
  for (const std::string& one : idle) {
    FrameScanner scanner(&limits_, nullptr);
    EXPECT_EQ(scanner.FromClient(kPreface, now_), std::nullopt);
    std::optional<CloseReason> reason;
    int count = 0;
    while (!reason.has_value() && count < 20'000) {
      reason = scanner.FromClient(one, now_);
      ++count;
    }
    EXPECT_EQ(reason, CloseReason::kFlood);
    EXPECT_GT(count, 100);
  }
}

TEST_F(FrameScannerTest, AnswersEarnWindowUpdates) {
  EXPECT_EQ(Client(Headers(1)), std::nullopt);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_EQ(Server(Frame(frame::kData, 0, 1, "answer")), std::nullopt);
    ASSERT_EQ(Client(Frame(8, 0, 0, "abcd") + Frame(8, 0, 1, "abcd")),
              std::nullopt);
  }
}

TEST_F(FrameScannerTest, CallsOfAPeerArePaced) {
  limits_.max_calls_per_second = 12'800;  // 640 at once, 25 of one
  PeerBudget peer(limits_);
  FrameScanner scanner(&limits_, &peer);
  EXPECT_EQ(scanner.FromClient(kPreface, now_), std::nullopt);
  for (uint32_t stream = 1; stream < 2 * 660; stream += 2) {
    EXPECT_EQ(scanner.FromClient(Headers(stream), now_), std::nullopt);
    EXPECT_EQ(scanner.ToClient(Trailers(stream), now_), std::nullopt);
  }
  EXPECT_EQ(scanner.paused_until(), now_ + absl::Seconds(20.0 / 12'800));
  // One that begins few is not paused.
  FrameScanner quiet(&limits_, &peer);
  EXPECT_EQ(quiet.FromClient(std::string(kPreface) + Headers(1), now_),
            std::nullopt);
  EXPECT_LE(quiet.paused_until(), now_);
}

TEST_F(FrameScannerTest, TellsOfTheLastStreamBetweenFramesAlone) {
  EXPECT_EQ(Client(Headers(0x103)), std::nullopt);
  EXPECT_EQ(scanner_.Goaway(), "");  // before the server has said anything
  const std::string answer = Trailers(0x103);
  EXPECT_EQ(Server(answer.substr(0, 5)), std::nullopt);
  EXPECT_EQ(scanner_.Goaway(), "");
  EXPECT_EQ(Server(answer.substr(5)), std::nullopt);
  EXPECT_EQ(scanner_.Goaway(),
            Frame(frame::kGoaway, 0, 0, std::string("\0\0\1\3\0\0\0\xb", 8)));
}

// RFC 9113, 6.2: nothing may stand between a header block's frames.
TEST_F(FrameScannerTest, AsksToLeaveBetweenHeaderBlocks) {
  EXPECT_EQ(Client(Headers(1)), std::nullopt);
  EXPECT_EQ(Server(Frame(frame::kHeaders, 0, 1, "ab")), std::nullopt);
  EXPECT_EQ(scanner_.GracefulGoaway(), "");
  EXPECT_EQ(Server(Frame(frame::kContinuation, frame::kEndHeaders, 1, "c")),
            std::nullopt);
  EXPECT_EQ(scanner_.GracefulGoaway(), kGracefulGoaway);
}

// However the bytes are cut, the outcome is the same.
TEST_F(FrameScannerTest, PiecesDoNotMatter) {
  std::mt19937 random(20260101);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes = kPreface;
    for (int i = 0; i < 30; ++i) {
      const auto stream = static_cast<uint32_t>(random() % 40);
      const auto type = static_cast<uint8_t>(random() % 11);
      const auto flags = static_cast<uint8_t>(random() % 8);
      bytes += Frame(type, flags, stream, std::string(random() % 400, 'p'));
    }
    if (round % 4 == 0) bytes[random() % bytes.size()] ^= 0x40;
    FrameScanner whole(&limits_, nullptr);
    const auto expected = whole.FromClient(bytes, now_);
    FrameScanner cut(&limits_, nullptr);
    std::optional<CloseReason> got;
    for (size_t at = 0; at < bytes.size() && !got.has_value();) {
      const size_t count = 1 + random() % 40;
      got = cut.FromClient(std::string_view(bytes).substr(at, count), now_);
      at += count;
    }
    ASSERT_EQ(got, expected) << "round " << round;
    if (expected.has_value()) continue;
    ASSERT_EQ(cut.open_streams(), whole.open_streams());
    ASSERT_EQ(cut.amid_frame(), whole.amid_frame());
  }
}

}  // namespace
}  // namespace deberta::server
