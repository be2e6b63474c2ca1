// One call of any method: the one way into the service.
//
// A call enters, holds memory as its Cost says, is parsed, does what its method
// does, is reported, and answers. A small one does so on gRPC's thread, up to
// where it waits for the model; a large one on a thread of the service's own,
// so that gRPC's are free for others. Where its bytes come from and its answer
// goes to, a request of its own or one of a stream, is its sink's.

#ifndef SERVER_RPC_CALL_H_
#define SERVER_RPC_CALL_H_

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "server/base/stopwatch.h"
#include "server/base/work_queue.h"
#include "server/models/catalog.h"
#include "server/net/connection_counts.h"
#include "server/rpc/admission.h"
#include "server/rpc/answer_writer.h"
#include "server/rpc/caller.h"
#include "server/rpc/request_report.h"
#include "server/tasks/shared/cost.h"

namespace deberta::server {

// What calls have in common; outlives them.
struct CallEnvironment {
  Admission* admission = nullptr;
  WorkQueue* large_calls = nullptr;
  // Null where anyone may call.
  const Authenticator* authenticator = nullptr;
  const PeerTable* peers = nullptr;  // see UnknownCaller()
  RequestObserver observer;
  // The longest that a call may take.
  absl::Duration max_time;
  size_t max_metadata_bytes = 0;
  // A request that is compressed may be unpacked to so much.
  size_t max_request_bytes = 0;
  ConnectionCounts* counts = nullptr;
};

// Takes a call's answer, and destroys the call once that is sent.
class CallSink {
 public:
  virtual ~CallSink() = default;
  // Called once, from any thread, maybe before Call::Start() returns. The call
  // does nothing any more.
  virtual void Answer(grpc::Status status, grpc::ByteBuffer answer) = 0;
};

class Call {
 public:
  // Requests of more are large: their texts take a millisecond and more to
  // tokenize.
  static constexpr size_t kSmallBytes = size_t{16} << 10;

  // What is asked, by whom; all of it outlives the call.
  struct Source {
    const grpc::CallbackServerContext& context;
    grpc::ByteBuffer* request = nullptr;  // emptied when it is parsed
    CallSink* sink = nullptr;
  };

  Call(std::string_view method, const Source& source,
       const CallEnvironment* environment);
  virtual ~Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void Start();
  // The caller has gone. From any thread.
  void Cancel() { cancelled_->store(true); }

 protected:
  // Parses the request and finds the model that it is about, once, also for the
  // report of a call that may not enter.
  virtual absl::Status Identify() = 0;
  // Does the method's work. A status ends the call; without one, Complete() is
  // called later, from any thread, and this may be gone already.
  virtual std::optional<absl::Status> Run() = 0;

  // Parses the request, once: its memory is given back.
  absl::Status Parse(google::protobuf::Message* request);
  // Holds what cost() comes to.
  absl::Status Hold();
  // Holds what tokenizing the request's texts takes, one after another: the
  // longest while it is tokenized, and the tokens of the others, about.
  absl::Status HoldForTokenizing();
  // The refusal of a request that can never be taken, and why.
  absl::Status TooLarge(const absl::Status& why);
  // Answers with what answer() holds, or with the error. Called once.
  void Complete(absl::Status status);

  // Identify() of a request that names any model.
  template <typename Request>
  absl::Status IdentifyNamed(Request* request) {
    if (absl::Status s = Parse(request); !s.ok()) return s;
    return SetModel(FindModel(catalog(), caller_, request->model()));
  }
  // Notes the model that FindModel() found, or that the caller may not use it.
  absl::Status SetModel(const absl::StatusOr<size_t>& index);
  // REQUIRES: SetModel() was OK.
  const ServedModel& model() const { return *model_; }

  // Why the answer is not wanted any more; OK while it is.
  absl::Status StillWanted() const;

  // REQUIRES: SetModel() was not OK yet.
  const Catalog& catalog() const { return *catalog_; }
  Scheduler& scheduler() const { return *backend_.scheduler; }
  Cost& cost() { return cost_; }
  AnswerWriter& answer() { return answer_; }
  const Caller& caller() const { return caller_; }
  RequestReport& report() { return report_; }
  absl::Time deadline() const { return deadline_; }
  absl::Duration elapsed() const { return total_.elapsed(); }
  size_t max_call_bytes() const {
    return environment_->admission->max_call_bytes();
  }
  // With whom the call shares the machine.
  std::string share() const;
  // Set once the caller has gone; may outlive the call.
  std::shared_ptr<const std::atomic<bool>> cancelled() const {
    return cancelled_;
  }

 private:
  // Whether the call may go on; else it is complete.
  absl::Status Enter();
  // Whether the caller is known, and does not call too often.
  absl::Status CheckCaller();
  absl::Status CheckMetadata() const;
  // Unpacks a compressed request, holding what that may come to.
  absl::Status Unpack(std::string_view bytes, std::string* out);
  void RunAndComplete();
  void Report(const absl::Status& status);

  const CallEnvironment* const environment_;
  const Source source_;
  // First, so that it is destroyed last: the call leaves when its memory is
  // free.
  Admission::Entry entry_;
  const absl::Time deadline_;
  const Stopwatch total_;
  const std::shared_ptr<std::atomic<bool>> cancelled_ =
      std::make_shared<std::atomic<bool>>(false);

  // One thread at a time: gRPC's or one of the service's, then the workers'.
  Admission::Backend backend_;
  // As it was when the call entered, until the model is found; the call is
  // about that one to its end, whatever is served then.
  std::shared_ptr<const Catalog> catalog_;
  std::shared_ptr<const ServedModel> model_;
  Cost cost_;
  size_t longest_text_ = 0;  // bytes
  AnswerWriter answer_;
  RequestReport report_;
  Caller caller_;
  absl::Status unauthenticated_;  // OK where it is known
};

}  // namespace deberta::server

#endif  // SERVER_RPC_CALL_H_
