#include "server/rpc/process_stream.h"

#include <utility>
#include <vector>

#include "server/base/error_reason.h"
#include "server/base/thrown.h"
#include "server/rpc/caller.h"
#include "server/rpc/status.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

absl::Status ShuttingDown() {
  return absl::UnavailableError("the server is shutting down");
}

}  // namespace

bool ProcessStreams::Add(const std::shared_ptr<ProcessStream>& stream) {
  const MutexLock lock(&mutex_);
  if (draining_ || open_.size() >= kMost) return false;
  open_[stream.get()] = stream;
  return true;
}

void ProcessStreams::Remove(const ProcessStream* stream) {
  const MutexLock lock(&mutex_);
  open_.erase(stream);
}

bool ProcessStreams::draining() const {
  const MutexLock lock(&mutex_);
  return draining_;
}

void ProcessStreams::Drain() {
  std::vector<std::shared_ptr<ProcessStream>> streams;
  {
    const MutexLock lock(&mutex_);
    draining_ = true;
    for (const auto& [key, open] : open_) {
      if (auto stream = open.lock(); stream != nullptr)
        streams.push_back(std::move(stream));
    }
  }
  for (const auto& stream : streams) stream->Drain();
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*
ProcessStream::Start(grpc::CallbackServerContext* context,
                     const CallEnvironment* environment, LateCalls* unsent,
                     ProcessStreams* streams) {
  const std::shared_ptr<ProcessStream> stream(
      new ProcessStream(context, environment, unsent, streams));
  stream->self_ = stream;
  const absl::Status entered = Guarded([&] { return stream->Enter(); });
  if (!entered.ok()) stream->End(entered);
  stream->Advance();
  return stream.get();
}

absl::Status ProcessStream::Enter() {
  Caller caller = UnknownCaller(*context_, environment_->peers);
  if (absl::Status s =
          Authenticate(*context_, environment_->authenticator, &caller);
      !s.ok()) {
    return s;
  }
  if (streams_->Add(shared_from_this())) return absl::OkStatus();
  if (streams_->draining()) return ShuttingDown();
  return WithReason(
      absl::ResourceExhaustedError("too many Process streams are open"),
      "TOO_MANY_STREAMS");
}

void ProcessStream::Drain() { End(ShuttingDown()); }

void ProcessStream::OnReadDone(bool ok) {
  const std::shared_ptr<ProcessStream> self = self_;
  const absl::Status taken =
      ok ? Guarded([this] { return TakeIn(); }) : absl::OkStatus();
  if (!ok || !taken.ok()) End(taken);
  {
    const MutexLock lock(&mutex_);
    reading_ = false;
  }
  Advance();
}

absl::Status ProcessStream::TakeIn() {
  grpc::Slice message;
  if (!read_.DumpToSingleSlice(&message).ok())
    return absl::InternalError("the request's bytes could not be read");
  read_.Clear();
  absl::StatusOr<ProcessItem> item = ReadProcessItem(message);
  if (!item.ok()) return item.status();
  Begin(std::make_unique<Item>(this, *std::move(item)));
  return absl::OkStatus();
}

void ProcessStream::Begin(std::unique_ptr<Item> item) {
  Item* const begun = item.get();
  grpc::Status refusal;  // before anyone waits: whoever does is answered
  if (begun->asked.method.has_value()) {
    begun->call = MakeCall(
        *begun->asked.method,
        {.context = *context_, .request = &begun->asked.request, .sink = begun},
        environment_);
  } else {
    refusal = ToGrpcStatus(InputError(
        "request", "expected a request that the server can answer, got none"));
  }
  bool cancelled = false;
  {
    const MutexLock lock(&mutex_);
    items_[begun] = std::move(item);
    cancelled = cancelled_;
  }
  if (begun->call == nullptr) return begun->Answer(std::move(refusal), {});
  if (cancelled) begun->call->Cancel();
  begun->call->Start();
}

void ProcessStream::Answered(Item* item, const grpc::Status& status,
                             const grpc::ByteBuffer& answer) {
  const std::shared_ptr<ProcessStream> self = self_;
  // Read while the server shut down: the end of the stream says so, and what
  // has no answer is to be sent to another.
  const bool refused = status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                       streams_->draining();
  const absl::Status made = Guarded([&] {
    if (refused) return ShuttingDown();
    item->message =
        status.ok() ? ProcessAnswer(item->asked.id, *item->asked.method, answer)
                    : ProcessFailure(item->asked.id, status);
    const MutexLock lock(&mutex_);
    answered_.push_back(item);
    return absl::OkStatus();
  });
  if (!made.ok()) {
    // Without its answer the stream is of no use, and says so before it can be
    // over.
    End(made);
    std::unique_ptr<Item> lost;  // destroyed outside the lock
    const MutexLock lock(&mutex_);
    lost = std::move(items_.extract(item).mapped());
  }
  Advance();
}

void ProcessStream::OnWriteDone(bool ok) {
  const std::shared_ptr<ProcessStream> self = self_;
  late_.reset();
  std::unique_ptr<Item> sent;  // destroyed outside the lock
  {
    const MutexLock lock(&mutex_);
    sent = std::move(items_.extract(writing_).mapped());
    writing_ = nullptr;
  }
  sent.reset();
  if (!ok) OnCancel();
  Advance();
}

void ProcessStream::OnCancel() {
  const std::shared_ptr<ProcessStream> self = self_;
  {
    const MutexLock lock(&mutex_);
    cancelled_ = true;
    for (const auto& [key, item] : items_) {
      if (item->call != nullptr) item->call->Cancel();
    }
  }
  End(absl::CancelledError("the caller went away"));
  Advance();
}

void ProcessStream::OnDone() {
  streams_->Remove(this);
  self_.reset();
}

void ProcessStream::End(const absl::Status& why) {
  grpc::Status status = ToGrpcStatus(why);
  {
    const MutexLock lock(&mutex_);
    if (!end_.has_value() || end_->ok()) end_ = std::move(status);
  }
  Advance();
}

ProcessStream::Step ProcessStream::NextStep() {
  if (finished_) return Step::kNone;
  if (writing_ == nullptr && !answered_.empty()) {
    writing_ = answered_.front();
    answered_.pop_front();
    return Step::kWrite;
  }
  if (end_.has_value()) {
    if (!items_.empty()) return Step::kNone;
    finished_ = true;
    return Step::kFinish;
  }
  if (reading_ || items_.size() >= kMostUnanswered) return Step::kNone;
  reading_ = true;
  return Step::kRead;
}

void ProcessStream::Advance() {
  const std::shared_ptr<ProcessStream> self = shared_from_this();
  try {
    TakeSteps();
  } catch (...) {
    // gRPC is not to be asked twice for what it has begun.
    context_->TryCancel();
    const MutexLock lock(&mutex_);
    busy_ = false;
  }
}

void ProcessStream::TakeSteps() {
  {
    const MutexLock lock(&mutex_);
    // Whoever is sees what has changed before it stops.
    if (busy_) return;
    busy_ = true;
  }
  while (true) {
    Step step = Step::kNone;
    Item* item = nullptr;
    {
      const MutexLock lock(&mutex_);
      step = NextStep();
      item = writing_;
      if (step == Step::kNone) {
        busy_ = false;
        return;
      }
    }
    switch (step) {
      case Step::kRead:
        StartRead(&read_);
        break;
      case Step::kWrite:
        late_.emplace();
        unsent_->Add(context_, &*late_);
        StartWrite(&item->message);
        break;
      case Step::kFinish: {
        grpc::Status status;
        {
          const MutexLock lock(&mutex_);
          status = *std::move(end_);
        }
        return Finish(std::move(status));
      }
      case Step::kNone:
        break;
    }
  }
}

}  // namespace deberta::server
