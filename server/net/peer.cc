#include "server/net/peer.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace deberta::server {
namespace {

constexpr absl::string_view kAbstract = "unix-abstract:";

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

Peer ParsePeer(std::string_view grpc_peer) {
  absl::string_view rest = View(grpc_peer);
  if (absl::StartsWith(rest, "unix")) return {.address = "unix"};
  if (!absl::ConsumePrefix(&rest, "ipv4:") &&
      !absl::ConsumePrefix(&rest, "ipv6:")) {
    return {};
  }
  const absl::string_view host = rest.substr(0, rest.rfind(':'));
  return {.address = absl::StrReplaceAll(
              host, {{"%5B", ""}, {"%5D", ""}, {"[", ""}, {"]", ""}})};
}

void PeerTable::Add(std::string name, Peer peer) {
  const MutexLock lock(&mutex_);
  peers_[std::move(name)] = std::move(peer);
}

void PeerTable::Remove(std::string_view name) {
  const MutexLock lock(&mutex_);
  const auto found = peers_.find(name);
  if (found != peers_.end()) peers_.erase(found);
}

Peer PeerTable::Find(std::string_view grpc_peer) const {
  absl::string_view name = View(grpc_peer);
  if (!absl::ConsumePrefix(&name, kAbstract)) return ParsePeer(grpc_peer);
  const MutexLock lock(&mutex_);
  const auto found = peers_.find(std::string_view(name.data(), name.size()));
  return found == peers_.end() ? Peer{} : found->second;
}

}  // namespace deberta::server
