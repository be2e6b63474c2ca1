#include "server/metrics_port.h"

#include <microhttpd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/status_page.h"

namespace deberta::server {
namespace {

// Connections of a listening socket; more wait to be accepted.
constexpr unsigned kMaxConnections = 512;
// Of those, what one address may hold; more are closed.
constexpr unsigned kMaxPerAddress = 256;
// After which a connection that moves no byte is closed.
constexpr unsigned kIdleSeconds = 5;
// Of each connection, for a request's head.
constexpr size_t kConnectionBytes = 8 << 10;
// Where more answers than this are being sent, those of one second are the
// same text, so that who does not read does not make it many.
constexpr long kOwnTexts = 16;
constexpr absl::Duration kSharedFor = absl::Seconds(1);

constexpr char kTextFormat[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kPageFormat[] = "text/html; charset=utf-8";
// Nothing from elsewhere, but for what a gateway answers.
constexpr char kPagePolicy[] =
    "default-src 'none'; script-src 'unsafe-inline'; style-src "
    "'unsafe-inline'; connect-src *; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

// An answer's hold on its text.
struct Hold {
  std::shared_ptr<const std::string> text;
  std::shared_ptr<std::atomic<long>> answers;
};

void LetGo(void* hold) {
  const std::unique_ptr<Hold> held(static_cast<Hold*>(hold));
  --*held->answers;
}

MHD_Result Reply(MHD_Connection* connection, unsigned code, Hold hold,
                 const char* type, const char* policy = nullptr) {
  ++*hold.answers;
  Hold* const held = new Hold(std::move(hold));
  MHD_Response* response =
      MHD_create_response_from_buffer_with_free_callback_cls(
          held->text->size(), const_cast<char*>(held->text->data()), &LetGo,
          held);
  if (response == nullptr) {
    LetGo(held);
    return MHD_NO;  // closes the connection
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  if (policy != nullptr)
    MHD_add_response_header(response, "Content-Security-Policy", policy);
  if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  const MHD_Result queued = MHD_queue_response(connection, code, response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace

struct MetricsTexts {
  explicit MetricsTexts(std::function<std::string()> of)
      : make(std::move(of)) {}

  // What is answered with now.
  Hold Now() {
    const MutexLock lock(&mutex);
    const absl::Time now = SteadyNow();
    if (last == nullptr || *answers <= kOwnTexts || now - made > kSharedFor) {
      last = std::make_shared<const std::string>(make());
      made = now;
    }
    return {.text = last, .answers = answers};
  }
  Hold Of(const char* text) const {
    return {.text = std::make_shared<const std::string>(text),
            .answers = answers};
  }

  const std::function<std::string()> make;
  const std::shared_ptr<std::atomic<long>> answers =
      std::make_shared<std::atomic<long>>(0);
  const Hold page = Of(kStatusPage);
  Mutex mutex;
  std::shared_ptr<const std::string> last ABSL_GUARDED_BY(mutex);
  absl::Time made ABSL_GUARDED_BY(mutex);
};

namespace {

// Called when a request's head is read, and again when it is read whole.
MHD_Result Answer(void* texts, MHD_Connection* connection, const char* url,
                  const char* method, const char*, const char*, size_t*,
                  void** state) {
  MetricsTexts& answers = *static_cast<MetricsTexts*>(texts);
  const std::string_view verb = method;
  if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD) {
    return Reply(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                 answers.Of("expected GET or HEAD\n"), "text/plain");
  }
  // An answer to the head alone would end the connection.
  if (*state == nullptr) {
    *state = texts;
    return MHD_YES;
  }
  const std::string_view path = url;
  try {
    if (path == "/")
      return Reply(connection, MHD_HTTP_OK, answers.page, kPageFormat,
                   kPagePolicy);
    if (path != "/metrics") {
      return Reply(connection, MHD_HTTP_NOT_FOUND,
                   answers.Of("the metrics are at /metrics, a page at /\n"),
                   "text/plain");
    }
    return Reply(connection, MHD_HTTP_OK, answers.Now(), kTextFormat);
  } catch (...) {  // no memory for a text
    return MHD_NO;
  }
}

absl::Status CannotServe(const Address& address, const absl::Status& reason) {
  return absl::Status(reason.code(),
                      absl::StrCat("cannot serve metrics on ",
                                   address.ToString(), ": ", reason.message()));
}

}  // namespace

MetricsPort::MetricsPort(ListeningSockets sockets,
                         std::function<std::string()> text)
    : sockets_(std::move(sockets)),
      texts_(std::make_unique<MetricsTexts>(std::move(text))) {}

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
        &Answer, port->texts_.get(), MHD_OPTION_LISTEN_SOCKET, descriptor,
        MHD_OPTION_CONNECTION_LIMIT, kMaxConnections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, kMaxPerAddress,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionBytes,
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_END);
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
