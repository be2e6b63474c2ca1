#include "server/rpc/call.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/base/clock.h"
#include "server/base/error_reason.h"
#include "server/base/retry_delay.h"
#include "server/base/thrown.h"
#include "server/rpc/gunzip.h"
#include "server/rpc/message_shape.h"
#include "server/rpc/status.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

size_t BytesOf(const grpc::ByteBuffer& buffer) {
  return buffer.Valid() ? buffer.Length() : 0;
}

}  // namespace

Call::Call(std::string_view method, const Source& source,
           const CallEnvironment* environment)
    : environment_(environment),
      source_(source),
      deadline_(
          std::min(SteadyDeadline(absl::FromChrono(source.context.deadline())),
                   SteadyNow() + environment->max_time)) {
  const grpc::CallbackServerContext& context = source.context;
  report_.method = method;
  report_.start = absl::Now();
  report_.trace = TraceOf(context);
  caller_ = UnknownCaller(context, environment->peers);
  unauthenticated_ =
      Authenticate(context, environment->authenticator, &caller_);
}

void Call::Start() {
  cost_.request_bytes = BytesOf(*source_.request);
  if (absl::Status s = Guarded([this] { return Enter(); }); !s.ok()) {
    return Complete(std::move(s));
  }
  if (cost_.request_bytes <= kSmallBytes) return RunAndComplete();
  if (absl::Status s = Guarded([this] {
        environment_->large_calls->Add(share(), [this] { RunAndComplete(); });
        return absl::OkStatus();
      });
      !s.ok()) {
    Complete(std::move(s));
  }
}

absl::Status Call::CheckMetadata() const {
  // As HTTP/2 counts (RFC 9113, 6.5.2).
  constexpr size_t kEntryBytes = 32;
  size_t bytes = 0;
  for (const auto& [key, value] : source_.context.client_metadata())
    bytes += key.size() + value.size() + kEntryBytes;
  if (bytes <= environment_->max_metadata_bytes) return absl::OkStatus();
  environment_->counts->Count(CallLimit::kMetadata);
  return WithReason(
      absl::ResourceExhaustedError(absl::StrCat(
          "the call's metadata has ", bytes, " bytes, the limit is ",
          environment_->max_metadata_bytes)),
      "METADATA_TOO_LARGE");
}

absl::Status Call::CheckCaller() {
  if (!unauthenticated_.ok()) {
    report_.rejection = Rejection::kUnauthenticated;
    return unauthenticated_;
  }
  if (caller_.account == nullptr) return absl::OkStatus();
  const absl::Duration wait = caller_.account->Enter(SteadyNow());
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  report_.rejection = Rejection::kRateLimited;
  return WithRetryDelay(
      WithReason(absl::ResourceExhaustedError(
                     absl::StrCat("over the rate of this token; come back in ",
                                  absl::ToInt64Milliseconds(wait) + 1, " ms")),
                 "RATE_LIMITED"),
      wait);
}

absl::Status Call::Enter() {
  if (absl::Status s = CheckMetadata(); !s.ok()) return s;
  if (absl::Status s = CheckCaller(); !s.ok()) return s;
  absl::StatusOr<Admission::Entry> entry =
      environment_->admission->Enter(&backend_);
  if (backend_.catalog != nullptr) catalog_ = backend_.catalog->Get();
  if (entry.ok()) {
    entry_ = *std::move(entry);
    return Hold();
  }
  if (catalog_ != nullptr && cost_.request_bytes <= kSmallBytes) {
    Identify().IgnoreError();  // for the report alone
    report_.rejection = Rejection::kDraining;
  }
  return entry.status();
}

void Call::RunAndComplete() {
  std::optional<absl::Status> over =
      Guarded([this]() -> std::optional<absl::Status> {
        if (absl::Status s = StillWanted(); !s.ok()) return s;
        if (absl::Status s = Identify(); !s.ok()) return s;
        return Run();
      });
  if (over.has_value()) Complete(*std::move(over));
}

std::string Call::share() const {
  return absl::StrCat(caller_.authenticated ? "token " : "peer ", caller_.name);
}

absl::Status Call::SetModel(const absl::StatusOr<size_t>& index) {
  if (absl::IsPermissionDenied(index.status()))
    report_.rejection = Rejection::kNotAllowed;
  if (!index.ok()) return index.status();
  model_ = catalog_->models()[*index];
  catalog_.reset();  // holds no other model in memory
  report_.model = model_->number;
  report_.model_name = model_->description.name;
  return absl::OkStatus();
}

absl::Status Call::StillWanted() const {
  return Gone(cancelled_->load(), deadline_, SteadyNow());
}

absl::Status Call::Parse(google::protobuf::Message* request) {
  grpc::Slice slice;
  if (source_.request->Valid() &&
      !source_.request->DumpToSingleSlice(&slice).ok()) {
    return absl::InternalError("the request's bytes could not be read");
  }
  source_.request->Clear();
  std::string_view bytes(reinterpret_cast<const char*>(slice.begin()),
                         slice.size());
  std::string unpacked;
  if (IsGzip(bytes)) {
    if (absl::Status s = Unpack(bytes, &unpacked); !s.ok()) return s;
    slice = grpc::Slice();
    bytes = unpacked;
  }
  const absl::StatusOr<MessageShape> shape =
      ReadShape(bytes, *request->GetDescriptor());
  if (!shape.ok()) return shape.status();
  cost_.request_fields = shape->fields;
  longest_text_ = shape->longest_string;
  if (absl::Status s = Hold(); !s.ok()) return s;
  if (request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the request is no ", request->GetDescriptor()->full_name(), " message"));
}

absl::Status Call::Unpack(std::string_view bytes, std::string* out) {
  const size_t most = environment_->max_request_bytes;
  cost_.request_bytes = bytes.size() + most;
  if (absl::Status s = Hold(); !s.ok()) return s;
  absl::StatusOr<std::string> unpacked = Gunzip(bytes, most);
  if (!unpacked.ok()) return unpacked.status();
  *out = *std::move(unpacked);
  cost_.request_bytes = out->size();
  return absl::OkStatus();
}

absl::Status Call::Hold() {
  absl::Status held = entry_.Hold(HeldBytes(cost_));
  if (absl::IsInvalidArgument(held)) return TooLarge(held);
  if (!held.ok()) report_.rejection = Rejection::kMemoryFull;
  return held;
}

absl::Status Call::TooLarge(const absl::Status& why) {
  report_.rejection = Rejection::kTooLarge;
  return WithReason(InputError("inputs", std::string(why.message())),
                    "REQUEST_TOO_LARGE");
}

absl::Status Call::HoldForTokenizing() {
  // Prose has two bytes a token and more.
  constexpr size_t kTokenBytes = 2;
  cost_.text_bytes = longest_text_;
  cost_.tokens = (cost_.request_bytes - longest_text_) / kTokenBytes;
  return Hold();
}

void Call::Complete(absl::Status status) {
  grpc::ByteBuffer answer;
  if (status.ok()) {
    status = Guarded([this, &answer] {
      answer = answer_.Take();
      return absl::OkStatus();
    });
  }
  Report(status);
  // Its memory counts until the answer is sent.
  entry_.Answered();
  source_.sink->Answer(ToGrpcStatus(status), std::move(answer));
}

void Call::Report(const absl::Status& status) {
  try {
    if (caller_.account != nullptr && report_.accepted)
      caller_.account->Spend(report_.tokens, SteadyNow());
    report_.total = total_.elapsed();
    report_.code = PublicCode(status);
    report_.reason = PublicReason(status);
    report_.message = std::string(status.message());
    report_.caller = caller_.name;
    environment_->observer(report_);
  } catch (...) {
    // Without memory there is no report; the caller is answered all the same.
  }
}

}  // namespace deberta::server
