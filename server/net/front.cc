#include "server/net/front.h"

#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

// 0.0.0.0 stands for every interface, of IPv6 as well where there is any.
absl::StatusOr<ListeningSockets> OpenSockets(const Address& address) {
  if (address.host == "0.0.0.0") {
    Address every = address;
    every.host = "::";
    absl::StatusOr<ListeningSockets> sockets = ListeningSockets::Open(every);
    if (sockets.ok()) return sockets;
  }
  return ListeningSockets::Open(address);
}

absl::Status CannotListen(const Address& address, const absl::Status& reason) {
  return absl::Status(
      reason.code(), absl::StrCat("cannot listen on ", address.ToString(), ": ",
                                  reason.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Front>> Front::Start(const Address& address,
                                                    FrontOptions options) {
  absl::StatusOr<ListeningSockets> sockets = OpenSockets(address);
  if (!sockets.ok()) return CannotListen(address, sockets.status());
  auto loop = std::make_unique<FrontLoop>(sockets->ReleaseDescriptors(),
                                          std::move(options));
  if (absl::Status s = loop->Prepare(); !s.ok())
    return CannotListen(address, s);
  try {
    return std::unique_ptr<Front>(
        new Front(*std::move(sockets), std::move(loop)));
  } catch (const std::system_error& error) {
    return CannotListen(address, absl::ResourceExhaustedError(error.what()));
  }
}

Front::Front(ListeningSockets sockets, std::unique_ptr<FrontLoop> loop)
    : sockets_(std::move(sockets)),
      loop_(std::move(loop)),
      thread_([this] { loop_->Run(); }) {}

Front::~Front() {
  loop_->Stop();
  thread_.join();
}

void Front::StopAccepting() { loop_->StopAccepting(); }

bool Front::WaitUntilAllKnow(absl::Duration time) {
  return loop_->WaitUntilAllKnow(time);
}

void Front::WaitUntilEmpty(absl::Duration time) { loop_->WaitUntilEmpty(time); }

}  // namespace deberta::server
