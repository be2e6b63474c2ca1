#include "server/inference/inference_call.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/base/thrown.h"
#include "server/inference/tensors.h"
#include "server/rpc/gunzip.h"
#include "server/rpc/message_shape.h"
#include "server/rpc/request_report.h"
#include "server/rpc/status.h"
#include "server/tasks/shared/cost.h"

namespace deberta::server {
namespace {

// A text has its length beside it in both forms; an answer of numbers takes
// more in words.
constexpr size_t kForms = 2;
constexpr size_t kAnswerForms = 16;

std::string_view View(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace

grpc::ServerUnaryReactor* InferenceCall::Start(
    const Translator* translator, grpc::CallbackServerContext* context,
    const grpc::ByteBuffer* request, grpc::ByteBuffer* response,
    const CallEnvironment* environment, LateCalls* unsent) {
  InferenceCall* started = nullptr;
  try {
    started = new InferenceCall(translator, context, request, response,
                                environment, unsent);
  } catch (...) {
    return RefuseUnary(context);
  }
  if (request->Length() <= Call::kSmallBytes) {
    started->Run();
    return started;
  }
  const absl::Status added = Guarded([&] {
    environment->large_calls->Add(absl::StrCat("peer ", started->caller_.name),
                                  [started] { started->Run(); });
    return absl::OkStatus();
  });
  if (!added.ok()) started->Refuse(added);
  return started;
}

InferenceCall::InferenceCall(const Translator* translator,
                             grpc::CallbackServerContext* context,
                             const grpc::ByteBuffer* request,
                             grpc::ByteBuffer* response,
                             const CallEnvironment* environment,
                             LateCalls* unsent)
    : UnaryReactor(context, response, unsent),
      translator_(translator),
      request_(request),
      environment_(environment),
      caller_(UnknownCaller(*context, environment->peers)) {}

void InferenceCall::Run() {
  const absl::Status translated = Guarded([this] { return Translate(); });
  if (!translated.ok()) return Refuse(translated);
  Call* call = nullptr;
  {
    const MutexLock lock(&mutex_);
    call = call_.get();
    if (cancelled_) call->Cancel();
  }
  call->Start();
}

absl::Status InferenceCall::Translate() {
  if (absl::Status s =
          Authenticate(context(), environment_->authenticator, &caller_);
      !s.ok()) {
    return s;
  }
  Admission::Backend backend;
  absl::StatusOr<Admission::Entry> entry =
      environment_->admission->Enter(&backend);
  if (!entry.ok()) return entry.status();
  entry_ = *std::move(entry);
  entry_.Answered();  // not waited for: its call is
  grpc::Slice slice;
  if (request_->Valid() && !request_->DumpToSingleSlice(&slice).ok())
    return absl::InternalError("the request's bytes could not be read");
  std::string_view bytes = View(slice);
  std::string unpacked;
  if (IsGzip(bytes)) {
    const size_t most = environment_->max_request_bytes;
    if (absl::Status s = entry_.Hold(bytes.size() + most); !s.ok()) return s;
    absl::StatusOr<std::string> gunzipped = Gunzip(bytes, most);
    if (!gunzipped.ok()) return gunzipped.status();
    unpacked = *std::move(gunzipped);
    bytes = unpacked;
  }
  const absl::StatusOr<MessageShape> shape =
      ReadShape(bytes, *translator_->request);
  if (!shape.ok()) return shape.status();
  // Of each element of a tensor there is a field of the request; a raw one has
  // four bytes at least.
  if (absl::Status s = entry_.Hold(HeldBytes(
          {.request_bytes = kForms * bytes.size(),
           .request_fields = kForms * shape->fields +
                             std::min(bytes.size() / 4, kMostElements)}));
      !s.ok()) {
    return s;
  }
  absl::StatusOr<Translation> translation =
      translator_->translate(bytes, *backend.catalog->Get(), caller_);
  if (!translation.ok()) return translation.status();
  translation_ = *std::move(translation);
  const grpc::Slice request(translation_.request);
  translation_.request = std::string();
  translated_ = grpc::ByteBuffer(&request, 1);
  // The call counts them from now on.
  if (absl::Status s = entry_.Hold(0); !s.ok()) return s;
  std::unique_ptr<Call> call =
      MakeCall(translation_.method,
               {.context = context(), .request = &translated_, .sink = this},
               environment_);
  const MutexLock lock(&mutex_);
  call_ = std::move(call);
  return absl::OkStatus();
}

absl::StatusOr<std::string> InferenceCall::TranslateAnswer(
    const grpc::ByteBuffer& answer) {
  if (absl::Status s = entry_.Hold(
          HeldBytes({.answer_bytes = kAnswerForms * answer.Length()}));
      !s.ok()) {
    return s;
  }
  grpc::Slice slice;
  if (!answer.DumpToSingleSlice(&slice).ok())
    return absl::InternalError("the answer's bytes could not be read");
  return translation_.answer(View(slice));
}

void InferenceCall::Answer(grpc::Status status, grpc::ByteBuffer answer) {
  if (status.error_code() == grpc::StatusCode::NOT_FOUND &&
      translation_.not_found.has_value()) {
    return SendText(*translation_.not_found);
  }
  if (!status.ok()) return Send(std::move(status), {});
  const absl::StatusOr<std::string> translated =
      Guarded([&] { return TranslateAnswer(answer); });
  if (!translated.ok()) return Send(ToGrpcStatus(translated.status()), {});
  SendText(*translated);
}

void InferenceCall::Refuse(const absl::Status& why) {
  const absl::Status reported = Guarded([&] {
    RequestReport report;
    report.method = kInferMethod;
    report.code = PublicCode(why);
    report.reason = PublicReason(why);
    report.message = std::string(why.message());
    report.caller = caller_.name;
    report.trace = TraceOf(context());
    report.start = absl::Now() - total_.elapsed();
    report.total = total_.elapsed();
    environment_->observer(report);
    return absl::OkStatus();
  });
  // Without memory there is no report; the caller is answered all the same.
  reported.IgnoreError();
  Send(ToGrpcStatus(why), {});
}

void InferenceCall::SendText(const std::string& answer) {
  grpc::ByteBuffer bytes;
  const absl::Status made = Guarded([&] {
    const grpc::Slice slice(answer);
    bytes = grpc::ByteBuffer(&slice, 1);
    return absl::OkStatus();
  });
  Send(ToGrpcStatus(made), std::move(bytes));
}

void InferenceCall::OnCancel() {
  const MutexLock lock(&mutex_);
  cancelled_ = true;
  if (call_ != nullptr) call_->Cancel();
}

}  // namespace deberta::server
