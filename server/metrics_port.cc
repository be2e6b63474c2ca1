#include "server/metrics_port.h"

#include <microhttpd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

// What one address may hold; more connections wait to be accepted.
constexpr unsigned kMaxConnections = 128;
// After which a connection that moves no byte is closed.
constexpr unsigned kIdleSeconds = 10;

constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";

MHD_Result Reply(MHD_Connection* connection, unsigned code, std::string text,
                 const char* type) {
  MHD_Response* response = MHD_create_response_from_buffer(
      text.size(), text.data(), MHD_RESPMEM_MUST_COPY);
  if (response == nullptr) return MHD_NO;  // closes the connection
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

// Called when a request's head is read, and again when it is read whole.
MHD_Result Answer(void* text, MHD_Connection* connection, const char* url,
                  const char* method, const char*, const char*, size_t*,
                  void** state) {
  const std::string_view verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
    return Reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                 "expected GET or HEAD\n", "text/plain");
  }
  // An answer to the head alone would end the connection.
  if (*state == nullptr) {
    *state = text;
    return MHD_YES;
  }
  if (std::string_view(url) != "/metrics") {
    return Reply(connection, MHD_HTTP_NOT_FOUND,
                 "the metrics are at /metrics\n", "text/plain");
  }
  const auto& make = *static_cast<const std::function<std::string()>*>(text);
  return Reply(connection, MHD_HTTP_OK, make(), kTextFormat);
}

absl::Status CannotServe(const Address& address, const absl::Status& reason) {
  return absl::Status(reason.code(),
                      absl::StrCat("cannot serve metrics on ",
                                   address.ToString(), ": ", reason.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsPort>> MetricsPort::Start(
    const Address& address, std::function<std::string()> text) {
  absl::StatusOr<ListeningSockets> sockets = ListeningSockets::Open(address);
  if (!sockets.ok()) return CannotServe(address, sockets.status());
  std::unique_ptr<MetricsPort> port(
      new MetricsPort(*std::move(sockets), std::move(text)));
  // The daemons close them. A failure ends the start, and may leak one.
  for (const int descriptor : port->sockets_.ReleaseDescriptors()) {
    errno = 0;
    MHD_Daemon* const daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr,
        &Answer, const_cast<std::function<std::string()>*>(&port->text_),
        MHD_OPTION_LISTEN_SOCKET, descriptor, MHD_OPTION_CONNECTION_LIMIT,
        kMaxConnections, MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds,
        MHD_OPTION_END);
    if (daemon == nullptr) {
      // Where a thread cannot be started, errno is not set.
      return CannotServe(address, absl::ResourceExhaustedError(
                                      strerror(errno == 0 ? EAGAIN : errno)));
    }
    port->daemons_.push_back(daemon);
  }
  return port;
}

MetricsPort::~MetricsPort() {
  file().Remove();
  for (MHD_Daemon* daemon : daemons_) MHD_stop_daemon(daemon);
}

}  // namespace deberta::server
