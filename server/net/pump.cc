#include "server/net/pump.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace deberta::server {
namespace {

// Buffers that one direction moves before others get their turn.
constexpr int kRounds = 4;
// Read at once of one whose peer begins too many calls.
constexpr size_t kPausedBytes = 1024;
constexpr absl::Duration kFarewell = absl::Seconds(2);
constexpr size_t kMostDiscarded = size_t{1} << 20;

constexpr uint32_t kReadable = EPOLLIN | EPOLLHUP | EPOLLERR;
constexpr uint32_t kWritable = EPOLLOUT | EPOLLHUP | EPOLLERR;

}  // namespace

Pump::Pump(Descriptor client, std::unique_ptr<Transport> transport,
           PeerBudget* peer, PumpEnvironment* environment, Connect connect,
           absl::Time now)
    : limits_(environment->limits),
      client_(std::move(client)),
      transport_(std::move(transport)),
      connect_(std::move(connect)),
      scanner_(&environment->limits, peer),
      up_(&environment->blocks),
      down_(&environment->blocks),
      opened_(now),
      last_read_(now),
      last_written_(now) {}

void Pump::Run(uint32_t client, uint32_t server, absl::Time now) {
  const bool again = again_at_ <= now;
  if (again || !paused_) {
    again_at_ = absl::InfiniteFuture();
    paused_ = false;
  }
  if (state_ == State::kHandshake) ShakeHands(now);
  if (state_ == State::kFarewell) Discard();
  if (state_ != State::kPreface && state_ != State::kOpen) return;
  if (again || (client & kReadable) != 0 || (server & EPOLLOUT) != 0)
    MoveUp(now);
  if (state_ == State::kOpen &&
      (again || (server & kReadable) != 0 || (client & kWritable) != 0)) {
    MoveDown(now);
  }
}

void Pump::ShakeHands(absl::Time now) {
  switch (transport_->Handshake()) {
    case Io::kDone:
      state_ = State::kPreface;
      return;
    case Io::kBlocked:
      return;
    case Io::kEnded:
    case Io::kBroken:
      End(CloseReason::kTls, now);
  }
}

void Pump::MoveUp(absl::Time now) {
  for (int round = 0; round < kRounds; ++round) {
    if ((up_.empty() || state_ == State::kPreface) && !ReadClient(now)) break;
    if (state_ == State::kPreface && scanner_.has_preface()) StartServer(now);
    if (state_ == State::kPreface) continue;
    if (state_ != State::kOpen || !WriteServer() || client_drained_) break;
    if (round == kRounds - 1) again_at_ = now;
  }
  up_.Trim();
}

bool Pump::ReadClient(absl::Time now) {
  if (client_ended_ || paused_) return false;
  if (const absl::Time until = scanner_.paused_until(); until > now) {
    paused_ = true;
    again_at_ = until;
    return false;
  }
  const size_t most = scanner_.peer_is_paused(now)
                          ? std::min(up_.space_bytes(), kPausedBytes)
                          : up_.space_bytes();
  const IoResult read = transport_->Read(up_.space(), most);
  if (read.io == Io::kBlocked) return false;
  if (read.io != Io::kDone) {
    client_ended_ = true;
    if (state_ == State::kPreface || read.io == Io::kBroken) {
      End(CloseReason::kClient, now);
    } else {
      // The server answers by ending too, after what it has still to say.
      shutdown(server_.get(), SHUT_WR);
      if (!reason_.has_value()) reason_ = CloseReason::kClient;
    }
    return false;
  }
  last_read_ = now;
  client_drained_ = !transport_->holds_bytes() && read.bytes < most;
  const std::string_view bytes(up_.space(), read.bytes);
  if (const auto reason = scanner_.FromClient(bytes, now); reason.has_value()) {
    End(*reason, now);
    return false;
  }
  up_.Written(read.bytes);
  return true;
}

void Pump::StartServer(absl::Time now) {
  if (const auto reason = connect_(*this, &server_); reason.has_value()) {
    End(*reason, now);
  } else {
    state_ = State::kOpen;
  }
}

// Whether all was taken.
bool Pump::WriteServer() {
  const std::string_view bytes = up_.bytes();
  const ssize_t count = server_ended_ ? static_cast<ssize_t>(bytes.size())
                                      : send(server_.get(), bytes.data(),
                                             bytes.size(), MSG_NOSIGNAL);
  server_blocked_ = count < 0 && (errno == EAGAIN || errno == EINTR);
  if (server_blocked_) return false;
  server_ended_ = server_ended_ || count < 0;
  up_.Consume(count < 0 ? bytes.size() : static_cast<size_t>(count));
  server_blocked_ = !up_.empty();
  return up_.empty();
}

void Pump::MoveDown(absl::Time now) {
  for (int round = 0; round < kRounds; ++round) {
    if (down_.empty()) {
      last_written_ = now;
      if (!AskToLeave() && !ReadServer()) break;
    }
    if (state_ != State::kOpen || !WriteClient(now)) break;
    if (down_.empty() && server_drained_ && !to_leave_) break;
    if (round == kRounds - 1) again_at_ = std::min(again_at_, now);
  }
  down_.Trim();
  if (state_ == State::kOpen && down_.empty() && !server_.ok())
    BeginFarewell(reason_.value_or(CloseReason::kServer), now);
}

bool Pump::ReadServer() {
  if (!server_.ok()) return false;
  const ssize_t count =
      recv(server_.get(), down_.space(), down_.space_bytes(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (count <= 0) {
    server_.Close();
    return false;
  }
  server_drained_ = static_cast<size_t>(count) < kPipeBytes;
  down_.Written(static_cast<size_t>(count));
  return true;
}

bool Pump::AskToLeave() {
  std::string bytes = to_leave_ ? scanner_.GracefulGoaway() : "";
  if (bytes.empty()) return false;
  to_leave_ = false;
  last_ping_ = scanner_.pings() + 1;
  bytes += FrameScanner::Ping();
  std::copy(bytes.begin(), bytes.end(), down_.space());
  down_.Written(bytes.size());
  return true;
}

bool Pump::WriteClient(absl::Time now) {
  const std::string_view bytes = down_.bytes();
  const IoResult written = transport_->Write(bytes);
  client_blocked_ = written.io == Io::kBlocked;
  if (client_blocked_) return false;
  if (written.io != Io::kDone) {
    End(CloseReason::kClient, now);
    return false;
  }
  last_written_ = now;
  const auto reason = scanner_.ToClient(bytes.substr(0, written.bytes), now);
  down_.Consume(written.bytes);
  if (reason.has_value()) {
    End(*reason, now);
    return false;
  }
  return true;
}

void Pump::SendAway(absl::Time now) {
  to_leave_ = true;
  again_at_ = now;
}

void Pump::End(CloseReason reason, absl::Time now) {
  if (state_ == State::kFarewell || state_ == State::kOver) return;
  again_at_ = absl::InfiniteFuture();
  const bool told = state_ == State::kOpen && reason != CloseReason::kClient;
  if (told) {
    if (const std::string bytes = scanner_.Goaway(); !bytes.empty())
      transport_->Write(bytes);
  }
  server_.Close();
  if (reason == CloseReason::kStalled) {
    // The kernel too lets go of what it does not read.
    const linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(client_.get(), SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    Abandon(reason);
  } else if (told || reason == CloseReason::kTls) {
    BeginFarewell(reason, now);
  } else {
    Abandon(reason);
  }
}

void Pump::Abandon(CloseReason reason) {
  server_.Close();
  again_at_ = absl::InfiniteFuture();
  reason_ = reason;
  state_ = State::kOver;
}

void Pump::BeginFarewell(CloseReason reason, absl::Time now) {
  reason_ = reason;
  again_at_ = absl::InfiniteFuture();
  transport_->End();
  state_ = client_ended_ ? State::kOver : State::kFarewell;
  farewell_since_ = now;
}

void Pump::Discard() {
  std::array<char, 4096> bytes;
  while (discarded_ < kMostDiscarded) {
    const ssize_t count = recv(client_.get(), bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) {
      state_ = State::kOver;
      break;
    }
    discarded_ += static_cast<size_t>(count);
  }
}

void Pump::Tick(absl::Time now) {
  switch (state_) {
    case State::kHandshake:
    case State::kPreface:
      if (now - opened_ > limits_.handshake_time)
        End(CloseReason::kHandshake, now);
      return;
    case State::kOpen: {
      if (!down_.empty() && now - last_written_ > limits_.stall_time)
        return End(CloseReason::kStalled, now);
      if (!scanner_.amid_headers())
        headers_since_ = absl::InfiniteFuture();
      else if (headers_since_ == absl::InfiniteFuture())
        headers_since_ = now;
      const bool waits =
          scanner_.amid_frame() && !server_blocked_ && !client_ended_;
      if ((waits && now - last_read_ > limits_.handshake_time) ||
          now - headers_since_ > limits_.handshake_time) {
        End(CloseReason::kIncomplete, now);
      }
      return;
    }
    case State::kFarewell:
      if (now - farewell_since_ > kFarewell) state_ = State::kOver;
      return;
    case State::kOver:
      return;
  }
}

uint32_t Pump::client_events() const {
  switch (state_) {
    case State::kHandshake:
      return transport_->handshake_writes() ? EPOLLOUT : EPOLLIN;
    case State::kPreface:
      return paused_ ? 0u : EPOLLIN;
    case State::kOpen:
      return (up_.empty() && !client_ended_ && !paused_ ? EPOLLIN : 0u) |
             (client_blocked_ ? EPOLLOUT : 0u);
    case State::kFarewell:
      return discarded_ < kMostDiscarded ? EPOLLIN : 0u;
    case State::kOver:
      return 0;
  }
  return 0;
}

uint32_t Pump::server_events() const {
  if (state_ != State::kOpen || !server_.ok()) return 0;
  return (down_.empty() ? EPOLLIN : 0u) | (server_blocked_ ? EPOLLOUT : 0u);
}

}  // namespace deberta::server
