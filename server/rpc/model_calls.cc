#include "server/rpc/model_calls.h"

#include <algorithm>
#include <utility>

#include "deberta/v1/deberta.pb.h"
#include "server/rpc/convert.h"

namespace deberta::server {
namespace {

// Tokens of a part of the answer: some 64 KiB.
constexpr size_t kPartTokens = 4096;

}  // namespace

std::optional<absl::Status> TokenizeCall::Run() { return Tokenize(); }

std::optional<size_t> TokenizeCall::FindModel() {
  v1::TokenizeRequest request;
  if (!Parse(&request).ok()) return std::nullopt;
  const absl::StatusOr<size_t> index = catalog().Find(request.model());
  return index.ok() ? std::optional(*index) : std::nullopt;
}

absl::Status TokenizeCall::Tokenize() {
  v1::TokenizeRequest proto;
  if (absl::Status s = Parse(&proto); !s.ok()) return s;
  const absl::StatusOr<size_t> index = catalog().Find(proto.model());
  if (!index.ok()) return index.status();
  report().model = *index;
  const ServedModel& model = catalog().models()[*index];
  const Stopwatch watch;
  absl::StatusOr<TokenizeRequest> request = FromProto(std::move(proto));
  if (!request.ok()) return request.status();
  if (absl::Status s = CheckRequest(*request); !s.ok()) return s;
  for (size_t i = 0; i < request->inputs.size(); ++i) {
    if (absl::Status s = StillWanted(); !s.ok()) return s;
    cost().text_bytes = TextBytes(request->inputs[i]);
    if (absl::Status s = Hold(); !s.ok()) return s;
    absl::StatusOr<TokenizedInput> input =
        TokenizedInput::Create(*request, i, *model.task_model.tokenizer);
    if (!input.ok()) return input.status();
    cost().text_bytes = 0;
    cost().tokens = input->size();
    if (absl::Status s = Write(*input); !s.ok()) return s;
    report().tokens += input->size();
  }
  report().inputs = request->inputs.size();
  report().accepted = true;
  report().tokenize = watch.elapsed();
  v1::TokenizeResponse tail;
  ToProto(model, tail.mutable_model());
  answer().Append(tail);
  return absl::OkStatus();
}

absl::Status TokenizeCall::Write(const TokenizedInput& input) {
  std::vector<std::string> parts;
  v1::TokenizeResult part;
  size_t bytes = 0;
  for (size_t begin = 0; begin < input.size(); begin += kPartTokens) {
    part.Clear();
    ToProto(input.Part(begin, std::min(begin + kPartTokens, input.size())),
            &part);
    parts.push_back(part.SerializeAsString());
    bytes += parts.back().size();
    cost().answer_bytes = answer().bytes() + bytes;
    if (absl::Status s = Hold(); !s.ok()) return s;
  }
  answer().AppendElement(v1::TokenizeResponse::kResultsFieldNumber,
                         std::move(parts));
  return absl::OkStatus();
}

std::optional<absl::Status> ListModelsCall::Run() {
  v1::ListModelsRequest request;
  if (absl::Status s = Parse(&request); !s.ok()) return s;
  v1::ListModelsResponse response;
  for (const ServedModel& model : catalog().models())
    ToProto(model, response.add_models());
  answer().Append(response);
  return absl::OkStatus();
}

std::optional<size_t> GetModelCall::FindModel() {
  v1::GetModelRequest request;
  if (!Parse(&request).ok()) return std::nullopt;
  const absl::StatusOr<size_t> index = catalog().Find(request.model());
  return index.ok() ? std::optional(*index) : std::nullopt;
}

std::optional<absl::Status> GetModelCall::Run() {
  v1::GetModelRequest request;
  if (absl::Status s = Parse(&request); !s.ok()) return s;
  const absl::StatusOr<size_t> index = catalog().Find(request.model());
  if (!index.ok()) return index.status();
  report().model = *index;
  v1::GetModelResponse response;
  ToProto(catalog().models()[*index], &response);
  answer().Append(response);
  return absl::OkStatus();
}

}  // namespace deberta::server
