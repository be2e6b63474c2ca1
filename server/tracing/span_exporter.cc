#include "server/tracing/span_exporter.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/base/clock.h"
#include "server/base/thrown.h"
#include "server/tracing/otlp_json.h"

namespace deberta::server {

SpanExporter::SpanExporter(Options options, std::unique_ptr<SpanSender> sender)
    : options_(std::move(options)), sender_(std::move(sender)) {
  batch_.reserve(options_.batch_spans);
  thread_ = std::thread([this] { Run(); });
}

SpanExporter::~SpanExporter() {
  {
    const MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.SignalAll();
  }
  sender_->StopBy(SteadyNow() + options_.last_wait);
  thread_.join();
}

void SpanExporter::Add(std::vector<Span> spans) {
  const MutexLock lock(&mutex_);
  if (waiting_.size() + spans.size() > options_.buffer_spans) {
    dropped_ += spans.size();
    return;
  }
  if (waiting_.empty()) oldest_ = SteadyNow();
  std::move(spans.begin(), spans.end(), std::back_inserter(waiting_));
  changed_.SignalAll();
}

size_t SpanExporter::exported() const {
  const MutexLock lock(&mutex_);
  return exported_;
}

size_t SpanExporter::dropped() const {
  const MutexLock lock(&mutex_);
  return dropped_;
}

void SpanExporter::NextBatch() {
  batch_.clear();
  const MutexLock lock(&mutex_);
  while (!stopping_ && waiting_.size() < options_.batch_spans) {
    if (waiting_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const absl::Duration left = oldest_ + options_.interval - SteadyNow();
    if (left <= absl::ZeroDuration()) break;
    changed_.WaitFor(&mutex_, left);
  }
  const auto begin = waiting_.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(
                               std::min(waiting_.size(), options_.batch_spans));
  std::move(begin, end, std::back_inserter(batch_));
  waiting_.erase(begin, end);
}

void SpanExporter::Run() {
  bool sending = true;
  while (true) {
    NextBatch();
    if (batch_.empty()) return;
    const absl::Status sent = Guarded(
        [&] { return sender_->Send(OtlpJson(batch_, options_.version)); });
    if (sent.ok() != std::exchange(sending, sent.ok())) {
      Guarded([&] {
        options_.on_change(sent);
        return absl::OkStatus();
      }).IgnoreError();
    }
    const MutexLock lock(&mutex_);
    (sent.ok() ? exported_ : dropped_) += batch_.size();
  }
}

}  // namespace deberta::server
