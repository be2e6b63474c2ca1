// A stream of requests, each a call; their answers go back as they are done.

#ifndef SERVER_RPC_PROCESS_STREAM_H_
#define SERVER_RPC_PROCESS_STREAM_H_

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"
#include "server/base/mutex.h"
#include "server/rpc/call.h"
#include "server/rpc/late_calls.h"
#include "server/rpc/process_messages.h"

namespace deberta::server {

class ProcessStream;

// The streams that are open. Thread-safe.
class ProcessStreams {
 public:
  static constexpr size_t kMost = 256;

  // False where there are too many, or after Drain().
  bool Add(const std::shared_ptr<ProcessStream>& stream);
  void Remove(const ProcessStream* stream);
  bool draining() const;
  // Ends each once what was read of it is answered, and lets no more in.
  void Drain();

 private:
  mutable Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<const ProcessStream*, std::weak_ptr<ProcessStream>> open_
      ABSL_GUARDED_BY(mutex_);
};

class ProcessStream final
    : public grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
      public std::enable_shared_from_this<ProcessStream> {
 public:
  // Requests of a stream that are not answered: no more are read meanwhile.
  static constexpr size_t kMostUnanswered = 32;

  // Starts a stream, which then owns itself; what gRPC is to be given. All
  // three outlive it.
  static grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Start(
      grpc::CallbackServerContext* context, const CallEnvironment* environment,
      LateCalls* unsent, ProcessStreams* streams);

  // Reads no more; what was read is answered.
  void Drain();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  // A request, until its answer is sent.
  struct Item final : CallSink {
    Item(ProcessStream* of, ProcessItem read)
        : stream(of), asked(std::move(read)) {}
    void Answer(grpc::Status status, grpc::ByteBuffer answer) override {
      stream->Answered(this, status, answer);
    }

    ProcessStream* const stream;
    ProcessItem asked;
    std::unique_ptr<Call> call;  // none of a request that is none
    grpc::ByteBuffer message;    // the answer, as it is sent
  };
  // What is to be done next, by the one thread that does it.
  enum class Step { kNone, kRead, kWrite, kFinish };

  ProcessStream(grpc::CallbackServerContext* context,
                const CallEnvironment* environment, LateCalls* unsent,
                ProcessStreams* streams)
      : context_(context),
        environment_(environment),
        unsent_(unsent),
        streams_(streams) {}

  // Why the stream may not be opened.
  absl::Status Enter();
  absl::Status TakeIn();
  void Begin(std::unique_ptr<Item> item);
  void Answered(Item* item, const grpc::Status& status,
                const grpc::ByteBuffer& answer);
  // Ends the stream once what was read is answered; the first error counts.
  void End(const absl::Status& why);
  // Does what can be done now. What gRPC throws ends the stream.
  void Advance();
  void TakeSteps();
  Step NextStep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CallbackServerContext* const context_;
  const CallEnvironment* const environment_;
  LateCalls* const unsent_;
  ProcessStreams* const streams_;
  std::shared_ptr<ProcessStream> self_;  // until OnDone()
  grpc::ByteBuffer read_;                // gRPC's while reading_

  Mutex mutex_;
  // Whole after an allocation that fails, which Abseil's maps are not.
  std::map<Item*, std::unique_ptr<Item>> items_ ABSL_GUARDED_BY(mutex_);
  std::deque<Item*> answered_ ABSL_GUARDED_BY(mutex_);
  Item* writing_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::optional<LateCalls::Entry> late_;  // while writing_
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool busy_ ABSL_GUARDED_BY(mutex_) = false;  // a thread is in Advance()
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  // Set once no more is read.
  std::optional<grpc::Status> end_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace deberta::server

#endif  // SERVER_RPC_PROCESS_STREAM_H_
