#include "server/rpc/model_calls.h"

#include <algorithm>
#include <utility>

#include "server/rpc/convert.h"

namespace deberta::server {
namespace {

// Tokens of a part of the answer: some 64 KiB.
constexpr size_t kPartTokens = 4096;

}  // namespace

absl::Status TokenizeCall::Tokenize() {
  const Stopwatch watch;
  absl::StatusOr<TokenizeRequest> request = FromProto(std::move(request_));
  if (!request.ok()) return request.status();
  if (absl::Status s = CheckRequest(*request); !s.ok()) return s;
  for (size_t i = 0; i < request->inputs.size(); ++i) {
    if (absl::Status s = StillWanted(); !s.ok()) return s;
    cost().text_bytes = TextBytes(request->inputs[i]);
    if (absl::Status s = Hold(); !s.ok()) return s;
    absl::StatusOr<TokenizedInput> input =
        TokenizedInput::Create(*request, i, *model().task_model.tokenizer);
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
  ToProto(model(), tail.mutable_model());
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
  v1::ListModelsResponse response;
  for (const auto& model : catalog().models()) {
    if (caller().MayUse(model->description.name))
      ToProto(*model, response.add_models());
  }
  answer().Append(response);
  return absl::OkStatus();
}

std::optional<absl::Status> GetModelCall::Run() {
  v1::GetModelResponse response;
  ToProto(model(), &response);
  answer().Append(response);
  return absl::OkStatus();
}

}  // namespace deberta::server
