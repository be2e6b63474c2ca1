#include "server/net/front_loop.h"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <exception>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/net/epoll.h"
#include "server/net/socket_pair.h"

namespace deberta::server {
namespace {

// Of one turn, so that those who are connected wait for no more.
constexpr int kAcceptsATurn = 16;
constexpr int kNewATurn = 4;
// How often limits of time are looked at while there are connections.
constexpr absl::Duration kTick = absl::Milliseconds(500);
// Streams that all connections may have open together, in those of one.
constexpr size_t kStreamsOfConnections = 4;
// Peers remembered after their last connection.
constexpr size_t kMostGonePeers = 4096;

// What epoll tells of: the wakening, listening sockets, two a connection.
constexpr uint64_t kWake = 0;
constexpr uint64_t kFirstSocket = 1;
constexpr uint64_t kFirstConnection = 64;

uint64_t ClientData(uint64_t id) { return 2 * id; }
uint64_t ServerData(uint64_t id) { return 2 * id + 1; }

// What is thrown by its work ends a connection.
template <typename Work>
void Attend(Pump* pump, Work work) {
  try {
    work();
  } catch (const std::exception&) {
    pump->Abandon(CloseReason::kMemory);
  }
}

}  // namespace

FrontLoop::FrontLoop(std::vector<int> sockets, FrontOptions options)
    : options_(std::move(options)),
      environment_({.limits = options_.limits, .blocks = {}}),
      acceptor_(std::move(sockets)),
      name_prefix_(RandomSocketPrefix()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      next_id_(kFirstConnection) {}

absl::Status FrontLoop::Prepare() {
  if (!epoll_.ok() || !wake_.ok())
    return absl::ResourceExhaustedError(strerror(errno));
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kWake}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  SetAccepting(true);
  if (NeedsTicks()) next_tick_ = SteadyNow() + kTick;
  return absl::OkStatus();
}

void FrontLoop::Run() {
  while (true) {
    const int count = epoll_wait(epoll_.get(), events_.data(),
                                 static_cast<int>(events_.size()), Timeout());
    const absl::Time now = SteadyNow();
    new_left_ = kNewATurn;
    OnEvents(static_cast<size_t>(std::max(count, 0)), now);
    RunAgain(now);
    if (now >= next_tick_) OnTick(now);
    const MutexLock lock(&mutex_);
    empty_ = clients_.empty();
    all_know_ = draining_ && AllKnow();
    if (empty_ || all_know_) changed_.SignalAll();
    if (stop_) break;
  }
  for (const auto& [id, client] : clients_) options_.peers->Remove(client.name);
  options_.counts->open -= static_cast<int64_t>(clients_.size());
  clients_.clear();
}

void FrontLoop::StopAccepting() {
  MutexLock lock(&mutex_);
  stop_accepting_ = true;
  eventfd_write(wake_.get(), 1);
  while (!stopped_accepting_) changed_.Wait(&mutex_);
}

bool FrontLoop::WaitUntilAllKnow(absl::Duration time) {
  MutexLock lock(&mutex_);
  return WaitFor(all_know_, time);
}

void FrontLoop::WaitUntilEmpty(absl::Duration time) {
  MutexLock lock(&mutex_);
  WaitFor(empty_, time);
}

bool FrontLoop::WaitFor(const bool& flag, absl::Duration time) {
  const absl::Time deadline = SteadyNow() + time;
  while (!flag && SteadyNow() < deadline)
    changed_.WaitFor(&mutex_, deadline - SteadyNow());
  return flag;
}

void FrontLoop::Stop() {
  const MutexLock lock(&mutex_);
  stop_ = true;
  eventfd_write(wake_.get(), 1);
}

int FrontLoop::Timeout() const {
  absl::Time next = next_tick_;
  for (const uint64_t id : again_)
    next = std::min(next, clients_.find(id)->second.pump->again_at());
  if (next == absl::InfiniteFuture()) return -1;
  const absl::Duration wait = next - SteadyNow();
  if (wait <= absl::ZeroDuration()) return 0;
  return static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1;
}

void FrontLoop::OnEvents(size_t count, absl::Time now) {
  for (size_t i = 0; i < count; ++i) OnEvent(events_[i], now);
  if (next_tick_ == absl::InfiniteFuture() && NeedsTicks())
    next_tick_ = now + kTick;
}

void FrontLoop::OnEvent(const epoll_event& event, absl::Time now) {
  const uint64_t data = event.data.u64;
  if (data == kWake) {
    OnWake(now);
  } else if (data < kFirstConnection) {
    AcceptFrom(data - kFirstSocket, now);
  } else if (data % 2 == 0) {
    RunClient(data / 2, event.events, 0, now);
  } else {
    RunClient(data / 2, 0, event.events, now);
  }
}

void FrontLoop::OnWake(absl::Time now) {
  eventfd_t ignored = 0;
  eventfd_read(wake_.get(), &ignored);
  {
    const MutexLock lock(&mutex_);
    if (!stop_accepting_ || stopped_accepting_) return;
  }
  draining_ = true;
  acceptor_.Close();
  for (auto& [id, client] : clients_) {
    client.pump->SendAway(now);
    KeepIfMore(id, &client);
  }
  const MutexLock lock(&mutex_);
  stopped_accepting_ = true;
  changed_.SignalAll();
}

void FrontLoop::OnTick(absl::Time now) {
  if (!accepting_ && !draining_) SetAccepting(true);
  try {
    RefreshCertificate();
  } catch (const std::exception&) {
    // The next tick tries again.
  }
  ForgetPeers(now);
  for (auto next = clients_.begin(); next != clients_.end();) {
    const auto at = next++;
    Pump& pump = *at->second.pump;
    Attend(&pump, [&] { pump.Tick(now); });
    Settle(at);
  }
  next_tick_ = NeedsTicks() ? now + kTick : absl::InfiniteFuture();
}

void FrontLoop::RefreshCertificate() {
  if (options_.tls == nullptr) return;
  const absl::StatusOr<bool> read = options_.tls->Refresh();
  if (!read.ok() && options_.log != nullptr) {
    options_.log->Error("the new certificate is not used",
                        {{"error", std::string(read.status().message())}});
  } else if (read.ok() && *read && options_.log != nullptr) {
    options_.log->Info("certificate read again");
  }
}

bool FrontLoop::NeedsTicks() const {
  const bool stuck = !accepting_ && !draining_;
  return !clients_.empty() || gone_peers_ > 0 || stuck ||
         options_.tls != nullptr;
}

void FrontLoop::RunAgain(absl::Time now) {
  due_.clear();
  due_.swap(again_);
  for (const uint64_t id : due_) {
    const auto at = clients_.find(id);
    if (at == clients_.end()) continue;
    Client& client = at->second;
    client.waits = false;
    if (client.pump->again_at() <= now) {
      RunClient(id, 0, 0, now);
    } else {
      KeepIfMore(id, &client);
    }
  }
}

void FrontLoop::KeepIfMore(uint64_t id, Client* client) {
  const bool more = client->pump->again_at() != absl::InfiniteFuture();
  if (more && !client->waits) again_.push_back(id);
  client->waits = client->waits || more;
}

void FrontLoop::SetAccepting(bool accepting) {
  accepting_ = accepting;
  for (size_t i = 0; i < acceptor_.sockets().size(); ++i) {
    epoll_event event = {.events = EPOLLIN, .data = {.u64 = kFirstSocket + i}};
    epoll_ctl(epoll_.get(), accepting ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
              acceptor_.sockets()[i].get(), &event);
  }
}

void FrontLoop::AcceptFrom(size_t socket, absl::Time now) {
  if (socket >= acceptor_.sockets().size()) return;
  for (int i = 0; i < kAcceptsATurn; ++i) {
    try {
      if (!AcceptOne(acceptor_.sockets()[socket].get(), now)) return;
    } catch (const std::exception&) {
      options_.counts->Count(CloseReason::kMemory);
    }
  }
}

bool FrontLoop::AcceptOne(int socket, absl::Time now) {
  Descriptor client;
  PeerAddress address;
  switch (acceptor_.Accept(socket, &client, &address)) {
    case Acceptor::Outcome::kAccepted:
      Admit(std::move(client), std::move(address), now);
      return true;
    case Acceptor::Outcome::kNone:
      return false;
    case Acceptor::Outcome::kNoDescriptors:
      options_.counts->Count(CloseReason::kDescriptors);
      return true;
    case Acceptor::Outcome::kStuck:
      break;
  }
  // Until the next tick: it would be told of without end.
  SetAccepting(false);
  return false;
}

std::optional<CloseReason> FrontLoop::Refusal(
    const PeerAddress& address) const {
  const ConnectionLimits& limits = options_.limits;
  if (clients_.size() >= limits.max_connections) return CloseReason::kTooMany;
  const auto share = shares_.find(address.share);
  if (!address.is_unix() && share != shares_.end() &&
      share->second.connections >= limits.max_connections_per_peer) {
    return CloseReason::kPeerShare;
  }
  return std::nullopt;
}

void FrontLoop::Admit(Descriptor client, PeerAddress address, absl::Time now) {
  if (const auto reason = Refusal(address); reason.has_value())
    return options_.counts->Count(*reason);
  std::unique_ptr<Transport> transport =
      options_.tls == nullptr ? std::make_unique<PlainTransport>(client.get())
                              : options_.tls->Accept(client.get());
  if (transport == nullptr)
    return options_.counts->Count(CloseReason::kDescriptors);
  // All that may find no memory comes before what others see.
  again_.reserve(clients_.size() + 1);
  due_.reserve(clients_.size() + 1);
  const auto [at, is_new] =
      shares_.try_emplace(address.share, Share{0, PeerBudget(options_.limits)});
  Share& share = at->second;
  if (is_new) ++gone_peers_;
  const uint64_t id = next_id_++;
  auto pump = std::make_unique<Pump>(
      std::move(client), std::move(transport),
      address.is_unix() ? nullptr : &share.budget, &environment_,
      [this, id](Pump& connection, Descriptor* out) {
        return ConnectToServer(clients_.find(id)->second, connection, out);
      },
      now);
  const auto added = clients_.try_emplace(id).first;
  added->second.pump = std::move(pump);
  added->second.address = std::move(address);
  if (++share.connections == 1) --gone_peers_;
  ++options_.counts->open;
  Settle(added);
}

std::optional<CloseReason> FrontLoop::ConnectToServer(Client& client,
                                                      Pump& connection,
                                                      Descriptor* out) {
  if (draining_) return CloseReason::kServer;
  client.name = absl::StrCat(name_prefix_, next_id_++);
  absl::StatusOr<SocketPair> pair = MakeSocketPair(client.name);
  if (!pair.ok()) return CloseReason::kDescriptors;
  options_.peers->Add(client.name,
                      {.address = client.address.text,
                       .certificate_name = connection.certificate_name()});
  *out = std::move(pair->named);
  options_.connect(pair->other.Release());
  return std::nullopt;
}

void FrontLoop::RunClient(uint64_t id, uint32_t client_events,
                          uint32_t server_events, absl::Time now) {
  const auto at = clients_.find(id);
  if (at == clients_.end()) return;
  Client& client = at->second;
  // The others are told of again in the next turn.
  if (client.pump->is_new() && new_left_-- <= 0) {
    KeepIfMore(id, &client);
    return;
  }
  Attend(client.pump.get(), [&] {
    client.pump->Run(client_events, server_events, now);
    CheckStreams(client, now);
  });
  KeepIfMore(id, &client);
  Settle(at);
}

void FrontLoop::CheckStreams(Client& client, absl::Time now) {
  const size_t open = client.pump->over() ? 0 : client.pump->open_streams();
  const bool grew = open > client.streams;
  streams_ += open - client.streams;
  client.streams = open;
  const size_t most = kStreamsOfConnections * options_.limits.max_streams;
  if (grew && streams_ > most && open > most / clients_.size())
    client.pump->End(CloseReason::kStreams, now);
}

void FrontLoop::Settle(Clients::iterator at) {
  const uint64_t id = at->first;
  Client& client = at->second;
  const Pump& connection = *client.pump;
  if (connection.reason().has_value() && !client.ending) {
    client.ending = true;
    options_.counts->Count(*connection.reason());
  }
  if (connection.server() < 0) {
    client.server_events = 0;
    if (!client.name.empty()) {
      options_.peers->Remove(client.name);
      client.name.clear();
    }
  }
  if (!connection.over()) {
    Watch(epoll_, connection.client(), ClientData(id),
          connection.client_events(), &client.client_events);
    if (connection.server() >= 0) {
      Watch(epoll_, connection.server(), ServerData(id),
            connection.server_events(), &client.server_events);
    }
    return;
  }
  const std::string share = std::move(client.address.share);
  streams_ -= client.streams;
  if (client.waits) std::erase(again_, id);
  clients_.erase(at);
  --options_.counts->open;
  LeaveShare(share);
}

void FrontLoop::LeaveShare(const std::string& name) {
  const auto share = shares_.find(name);
  if (--share->second.connections > 0) return;
  if (gone_peers_ >= kMostGonePeers) {
    shares_.erase(share);
  } else {
    ++gone_peers_;
  }
}

void FrontLoop::ForgetPeers(absl::Time now) {
  if (gone_peers_ == 0) return;
  gone_peers_ -= std::erase_if(shares_, [now](auto& entry) {
    return entry.second.connections == 0 && entry.second.budget.IsWhole(now);
  });
}

}  // namespace deberta::server
