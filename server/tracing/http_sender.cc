#include "server/tracing/http_sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/clock.h"

namespace deberta::server {
namespace {

size_t Discard(char*, size_t size, size_t count, void*) { return size * count; }

}  // namespace

struct HttpSender::State {
  std::string url;
  absl::Duration timeout;
  std::atomic<int64_t> stop_nanos = INT64_MAX;  // of the steady clock
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;

  ~State() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
  }

  absl::Duration Left(absl::Time deadline) const {
    const absl::Time stop = absl::FromUnixNanos(stop_nanos.load());
    return std::min(deadline, stop) - SteadyNow();
  }

  // Moves the transfer along until it is over.
  absl::Status Perform() {
    const absl::Time deadline = SteadyNow() + timeout;
    for (int running = 1; running != 0;) {
      const absl::Duration left = Left(deadline);
      if (left <= absl::ZeroDuration())
        return absl::UnavailableError("it did not answer in time");
      CURLMcode code = curl_multi_perform(multi, &running);
      if (code == CURLM_OK && running != 0) {
        // Rounded up, so that the end is not waited for in a circle.
        const int64_t wait = absl::ToInt64Milliseconds(left) + 1;
        code =
            curl_multi_poll(multi, nullptr, 0, static_cast<int>(wait), nullptr);
      }
      if (code != CURLM_OK)
        return absl::UnavailableError(curl_multi_strerror(code));
    }
    int others = 0;
    const CURLMsg* done = curl_multi_info_read(multi, &others);
    if (done == nullptr) return absl::UnavailableError("the transfer is lost");
    if (done->data.result != CURLE_OK)
      return absl::UnavailableError(curl_easy_strerror(done->data.result));
    long http = 0;  // NOLINT: curl's type
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http);
    if (http >= 200 && http <= 299) return absl::OkStatus();
    return absl::UnavailableError(absl::StrCat("HTTP status ", http));
  }
};

HttpSender::HttpSender(std::unique_ptr<State> state)
    : state_(std::move(state)) {}

HttpSender::~HttpSender() = default;

absl::StatusOr<std::unique_ptr<HttpSender>> HttpSender::Create(
    const std::string& url, absl::Duration timeout) {
  auto state = std::make_unique<State>();
  state->url = url;
  state->timeout = timeout;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK ||
      (state->multi = curl_multi_init()) == nullptr ||
      (state->easy = curl_easy_init()) == nullptr) {
    return absl::InternalError("libcurl could not be started");
  }
  // libcurl would ask before it sends bodies of some length.
  for (const char* header : {"Content-Type: application/json", "Expect:"}) {
    curl_slist* more = curl_slist_append(state->headers, header);
    if (more == nullptr) return absl::ResourceExhaustedError("out of memory");
    state->headers = more;
  }
  CURL* easy = state->easy;
  curl_easy_setopt(easy, CURLOPT_URL, state->url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, state->headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Discard);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Its environment variables do not count.
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  // A name that is still looked up is not waited for.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  return std::unique_ptr<HttpSender>(new HttpSender(std::move(state)));
}

absl::Status HttpSender::Send(const std::string& body) {
  CURL* easy = state_->easy;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  if (const CURLMcode code = curl_multi_add_handle(state_->multi, easy);
      code != CURLM_OK) {
    return absl::UnavailableError(curl_multi_strerror(code));
  }
  absl::Status sent = state_->Perform();
  curl_multi_remove_handle(state_->multi, easy);
  if (sent.ok()) return sent;
  return absl::UnavailableError(
      absl::StrCat(state_->url, ": ", sent.message()));
}

void HttpSender::StopBy(absl::Time steady_time) {
  state_->stop_nanos = absl::ToUnixNanos(steady_time);
  curl_multi_wakeup(state_->multi);
}

}  // namespace deberta::server
