// Posts JSON to an address. The only file with libcurl.

#ifndef SERVER_TRACING_HTTP_SENDER_H_
#define SERVER_TRACING_HTTP_SENDER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/tracing/span_sender.h"

namespace deberta::server {

// Neither proxies nor redirections are followed, and answers are not kept.
class HttpSender final : public SpanSender {
 public:
  // To "http://HOST:PORT/PATH", which is not looked up yet. A Send() takes
  // `timeout` at most.
  static absl::StatusOr<std::unique_ptr<HttpSender>> Create(
      const std::string& url, absl::Duration timeout);
  ~HttpSender() override;

  // Unavailable unless the answer is a 2xx.
  absl::Status Send(const std::string& body) override;
  void StopBy(absl::Time steady_time) override;

 private:
  struct State;
  explicit HttpSender(std::unique_ptr<State> state);

  const std::unique_ptr<State> state_;
};

}  // namespace deberta::server

#endif  // SERVER_TRACING_HTTP_SENDER_H_
