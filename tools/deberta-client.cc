// Command line client of deberta.v1.DebertaService.

#include <google/protobuf/stubs/logging.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tools/client/command.h"
#include "tools/client/error_line.h"
#include "tools/client/help.h"
#include "tools/client/inputs.h"
#include "tools/client/token.h"
#include "tools/table.h"

ABSL_FLAG(std::string, server, "localhost:50051",
          "the server: HOST:PORT, [IPV6]:PORT or unix:/PATH");
ABSL_FLAG(std::string, model, "",
          "model to ask; empty: the only one that has the task");
ABSL_FLAG(int32_t, deadline_ms, 60000,
          "longest wait for each request in milliseconds; 0: no limit");
ABSL_FLAG(std::string, token_file, "",
          "file of the token that the server asks for; empty: that of the "
          "environment variable DEBERTA_TOKEN, if it is set");
ABSL_FLAG(
    bool, exact, false,
    "answers in fp32, also of a model that is served in a lower precision "
    "(the server needs --keep_fp32)");
ABSL_FLAG(int32_t, batch, 32, "inputs sent in one request");
ABSL_FLAG(bool, json, false,
          "print one JSON object a line for each input, for machines");
ABSL_FLAG(bool, pair, false,
          "classify, embed, tokenize: inputs are pairs of texts; arguments two "
          "by two, or on each line of stdin the two with a TAB between");
ABSL_FLAG(std::string, choices, "",
          "classify with a multiple choice model: the answers to choose from, "
          "with | between");
ABSL_FLAG(std::string, question, "", "answer: the question");
ABSL_FLAG(std::string, query, "", "rerank: the query");
ABSL_FLAG(std::string, labels, "",
          "zero-shot, extract: labels, separated by commas; of extract, "
          "LABEL=DESCRIPTION has the model read the description");
ABSL_FLAG(double, threshold, 0,
          "extract, structured: what scores more is found; 0: the server's "
          "default");
ABSL_FLAG(std::string, overlap, "", "extract: flat or nested; empty: flat");
ABSL_FLAG(std::string, schema, "",
          "structured: JSON with \"structures\" and \"relations\", as in "
          "ExtractStructuredRequest");
ABSL_FLAG(bool, raw_scores, false, "rerank: logits in place of scores");
ABSL_FLAG(std::string, template, "",
          "zero-shot: sentence with {} in place of the label; empty: the "
          "server's");
ABSL_FLAG(
    std::string, prompt, "",
    "zero-shot by a GLiClass model: what it is to do; by a GLiNER2 model: "
    "what the labels say of the text");
ABSL_FLAG(bool, multi_label, false,
          "zero-shot, extract: several labels may be true");
ABSL_FLAG(
    int32_t, top_k, 0,
    "classify, answer, fill: most results an input; 0: the server's default; "
    "rerank: most documents; extract: labels of each entity in --json");
ABSL_FLAG(std::string, targets, "",
          "fill: the only words that compete, separated by commas");
ABSL_FLAG(std::string, function, "",
          "classify: softmax, sigmoid or none; empty: the model's rule");
ABSL_FLAG(std::string, aggregation, "",
          "tag: none, simple, first, average or max; empty: simple");
ABSL_FLAG(std::string, ignore_labels, "",
          "tag: labels left out, separated by commas; empty: O");
ABSL_FLAG(bool, keep_ignored, false, "tag: show ignored labels too");
ABSL_FLAG(std::string, rule, "",
          "answer: pipeline or squad_v2; empty: pipeline");
ABSL_FLAG(bool, handle_impossible_answer, false,
          "answer: let 'no answer' compete");
ABSL_FLAG(int32_t, max_answer_tokens, 0,
          "answer: longest answer in tokens; 0: the server's default");
ABSL_FLAG(double, null_threshold, 0,
          "answer, rule squad_v2: margin of 'no answer' over the best span, in "
          "logits");
ABSL_FLAG(std::string, pooling, "",
          "embed: cls, mean or none; empty: the model's own, else cls");
ABSL_FLAG(bool, normalize, false, "embed: scale vectors to length 1");
ABSL_FLAG(
    std::string, offset_unit, "",
    "tag, answer, extract, structured, tokenize: code_points, utf8_bytes or "
    "utf16_code_units; empty: code_points");
ABSL_FLAG(std::string, length_policy, "",
          "classify, tag, fill, zero-shot, extract, structured, rerank, embed: "
          "reject, truncate or window long texts; empty: reject");
ABSL_FLAG(int32_t, stride, 0,
          "classify, tag, answer, zero-shot, rerank: tokens that neighbouring "
          "windows share; 0: the server's default; extract, structured: words "
          "that they share");

namespace deberta::tools {
namespace {

constexpr CommandUsage kCommands[] = {
    {"classify", "classify [TEXT...]"},
    {"classify", "classify --choices='ANSWER|...' [QUESTION...]"},
    {"tag", "tag [TEXT...]"},
    {"answer", "answer --question=QUESTION [CONTEXT...]"},
    {"fill", "fill [TEXT WITH [MASK]...]"},
    {"zero-shot", "zero-shot --labels=LABEL,... [TEXT...]"},
    {"extract", "extract --labels=LABEL,... [TEXT...]"},
    {"structured", "structured --schema=JSON [TEXT...]"},
    {"rerank", "rerank --query=QUERY [DOCUMENT...]"},
    {"embed", "embed [TEXT...]"},
    {"tokenize", "tokenize [TEXT...]"},
    {"models", "models"},
    {"hash-token", "hash-token    reads a token from stdin"},
};

constexpr size_t kShownHeading = 100;

int Fail(absl::string_view message) {
  std::cerr << "deberta-client: " << message << "\n";
  return 1;
}

std::vector<std::string> List(const std::string& flag) {
  return absl::StrSplit(flag, ',', absl::SkipWhitespace());
}

// "a, b" is the labels "a" and "b", as the reference reads such a list.
std::vector<std::string> Stripped(std::vector<std::string> list) {
  for (std::string& part : list) absl::StripAsciiWhitespace(&part);
  return list;
}

Settings SettingsFromFlags() {
  return {
      .model = absl::GetFlag(FLAGS_model),
      .function = absl::GetFlag(FLAGS_function),
      .aggregation = absl::GetFlag(FLAGS_aggregation),
      .pooling = absl::GetFlag(FLAGS_pooling),
      .rule = absl::GetFlag(FLAGS_rule),
      .offset_unit = absl::GetFlag(FLAGS_offset_unit),
      .length_policy = absl::GetFlag(FLAGS_length_policy),
      .question = absl::GetFlag(FLAGS_question),
      .query = absl::GetFlag(FLAGS_query),
      .overlap = absl::GetFlag(FLAGS_overlap),
      .schema = absl::GetFlag(FLAGS_schema),
      .hypothesis_template = absl::GetFlag(FLAGS_template),
      .prompt = absl::GetFlag(FLAGS_prompt),
      .choices = absl::StrSplit(absl::GetFlag(FLAGS_choices), '|',
                                absl::SkipWhitespace()),
      .labels = Stripped(List(absl::GetFlag(FLAGS_labels))),
      .targets = List(absl::GetFlag(FLAGS_targets)),
      .ignore_labels = List(absl::GetFlag(FLAGS_ignore_labels)),
      .top_k = absl::GetFlag(FLAGS_top_k),
      .stride = absl::GetFlag(FLAGS_stride),
      .max_answer_tokens = absl::GetFlag(FLAGS_max_answer_tokens),
      .null_threshold = absl::GetFlag(FLAGS_null_threshold),
      .threshold = absl::GetFlag(FLAGS_threshold),
      .handle_impossible_answer = absl::GetFlag(FLAGS_handle_impossible_answer),
      .multi_label = absl::GetFlag(FLAGS_multi_label),
      .raw_scores = absl::GetFlag(FLAGS_raw_scores),
      .keep_ignored = absl::GetFlag(FLAGS_keep_ignored),
      .normalize = absl::GetFlag(FLAGS_normalize),
  };
}

// What every call carries.
void SetUp(grpc::ClientContext& context, const std::string& token) {
  if (!token.empty())
    context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
  const int32_t milliseconds = absl::GetFlag(FLAGS_deadline_ms);
  if (milliseconds == 0) return;
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::milliseconds(milliseconds));
}

// A line that counts answered inputs where the answers themselves are not seen.
class Progress {
 public:
  Progress() : shown_(isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO)) {}
  ~Progress() {
    if (shown_ && done_ > 0) std::cerr << "\n";
  }

  void Add(size_t inputs) {
    done_ += inputs;
    if (!shown_) return;
    const std::chrono::duration<double> elapsed = Clock::now() - start_;
    char line[80];
    std::snprintf(line, sizeof line, "\r%zu inputs, %.0f/s ", done_,
                  static_cast<double>(done_) / elapsed.count());
    std::cerr << line << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const bool shown_;
  const Clock::time_point start_ = Clock::now();
  size_t done_ = 0;
};

void Print(const Answer& answer, const std::string& heading) {
  if (absl::GetFlag(FLAGS_json)) {
    std::cout << answer.json << "\n";
    return;
  }
  std::cout << Shorten(heading, kShownHeading) << "\n";
  if (answer.table.rows.empty()) {
    std::cout << "  (nothing found)\n";
  } else {
    std::cout << FormatTable(answer.table, "  ");
  }
}

// Sends batches of inputs and prints their answers in order.
class Session {
 public:
  Session(Stub& stub, std::string token, Command command)
      : stub_(stub), token_(std::move(token)), command_(std::move(command)) {}

  // False if the server cannot be expected to answer further inputs.
  bool Send(const std::vector<Input>& batch) {
    const size_t first = done_ + 1;
    const grpc::Status status = Call(batch);
    if (status.ok()) return true;
    // One bad input fails its whole request: ask again for each alone.
    if (batch.size() > 1 && NamesInput(status)) {
      for (const Input& input : batch) {
        if (!Send({input})) return false;
      }
      return true;
    }
    failed_ = true;
    std::cout << std::flush;
    const size_t last = first + batch.size() - 1;
    Fail(batch.size() == 1
             ? absl::StrCat("input ", first, ": ", ErrorLine(status))
             : absl::StrCat("inputs ", first, " to ", last, ": ",
                            ErrorLine(status)));
    if (absl::GetFlag(FLAGS_json)) {
      for (size_t i = 0; i < batch.size(); ++i) {
        std::cout << ErrorJson(status) << "\n";
      }
    }
    done_ += batch.size();
    return NamesInput(status);
  }

  bool failed() const { return failed_; }

 private:
  static bool NamesInput(const grpc::Status& status) {
    for (const FieldViolation& violation : FieldViolations(status)) {
      if (violation.field.starts_with("inputs[")) return true;
    }
    return false;
  }

  grpc::Status Call(const std::vector<Input>& batch) {
    grpc::ClientContext context;
    SetUp(context, token_);
    if (absl::GetFlag(FLAGS_exact))
      context.AddMetadata("x-deberta-precision", "fp32");
    std::vector<Answer> answers;
    grpc::Status status = command_(stub_, context, batch, &answers);
    for (size_t i = 0; i < answers.size(); ++i)
      Print(answers[i],
            answers[i].heading.empty() ? batch[i].text : answers[i].heading);
    std::cout << std::flush;
    done_ += answers.size();
    progress_.Add(answers.size());
    return status;
  }

  Stub& stub_;
  const std::string token_;
  const Command command_;
  Progress progress_;
  size_t done_ = 0;
  bool failed_ = false;
};

int ShowModels(Stub& stub, const std::string& token) {
  std::vector<Answer> answers;
  const auto set_up = [&](grpc::ClientContext& context) {
    SetUp(context, token);
  };
  if (grpc::Status status = DescribeModels(stub, set_up, &answers);
      !status.ok()) {
    return Fail(ErrorLine(status));
  }
  for (const Answer& answer : answers) {
    std::cout << (absl::GetFlag(FLAGS_json) ? answer.json + "\n"
                                            : FormatTable(answer.table, ""));
  }
  return 0;
}

int Ask(Stub& stub, const std::string& token, const std::string& name,
        const std::vector<std::string>& arguments) {
  absl::StatusOr<Command> command = MakeTaskCommand(name, SettingsFromFlags());
  if (!command.ok()) return Fail(command.status().message());
  const bool pairs = absl::GetFlag(FLAGS_pair);
  absl::StatusOr<Inputs> inputs = Inputs::FromLines(std::cin, pairs);
  if (!arguments.empty()) inputs = Inputs::FromArguments(arguments, pairs);
  if (!inputs.ok()) return Fail(inputs.status().message());

  // Someone who types expects the answer to each line. All documents are
  // ranked together.
  const bool typed = arguments.empty() && isatty(STDIN_FILENO);
  const size_t limit = name == "rerank" ? std::numeric_limits<size_t>::max()
                       : typed
                           ? 1
                           : static_cast<size_t>(absl::GetFlag(FLAGS_batch));
  Session session(stub, token, *std::move(command));
  std::vector<Input> batch;
  while (true) {
    if (absl::Status status = inputs->Next(limit, &batch); !status.ok()) {
      return Fail(status.message());
    }
    if (batch.empty()) return session.failed() ? 1 : 0;
    if (!session.Send(batch)) return 1;
  }
}

int HashFromStdin() {
  const absl::StatusOr<std::string> token = TokenOf(std::cin);
  if (!token.ok()) return Fail(token.status().message());
  std::cout << TokenSha256(*token) << "\n";
  return 0;
}

int Run(int argc, char** argv) {
  // A text that is no UTF-8 is told by the server's answer alone.
  google::protobuf::SetLogHandler(nullptr);
  const std::span<char* const> given(argv + 1, static_cast<size_t>(argc) - 1);
  if (AsksForHelp(given)) {
    std::cout << HelpText(kCommands, FlagsOf("deberta-client.cc"),
                          CommandNamed(kCommands, given));
    return 0;
  }
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  const std::string name = words.size() < 2 ? "" : words[1];
  if (const auto names = CommandNames(kCommands);
      std::ranges::find(names, name) == names.end()) {
    return Fail(absl::StrCat(
        name.empty() ? "a command is needed"
                     : absl::StrCat("unknown command '", name, "'"),
        ": expected ", absl::StrJoin(names, ", "), " (see --help)"));
  }
  if (const std::string foreign =
          ForeignFlag(kCommands, FlagsOf("deberta-client.cc"), name);
      !foreign.empty()) {
    return Fail(absl::StrCat(foreign, " (see ", name, " --help)"));
  }
  if (absl::GetFlag(FLAGS_batch) < 1) {
    return Fail("--batch: expected at least 1");
  }
  if (absl::GetFlag(FLAGS_deadline_ms) < 0) {
    return Fail("--deadline_ms: expected at least 0");
  }
  if (name == "hash-token") return HashFromStdin();
  const absl::StatusOr<std::string> token =
      ReadToken(absl::GetFlag(FLAGS_token_file));
  if (!token.ok()) return Fail(token.status().message());
  grpc::ChannelArguments channel_arguments;
  // Vectors of many tokens exceed gRPC's default of 4 MiB.
  channel_arguments.SetMaxReceiveMessageSize(-1);
  const std::unique_ptr<Stub> stub =
      v1::DebertaService::NewStub(grpc::CreateCustomChannel(
          absl::GetFlag(FLAGS_server), grpc::InsecureChannelCredentials(),
          channel_arguments));

  const std::vector<std::string> arguments(words.begin() + 2, words.end());
  if (name == "models") return ShowModels(*stub, *token);
  return Ask(*stub, *token, name, arguments);
}

}  // namespace
}  // namespace deberta::tools

int main(int argc, char** argv) { return deberta::tools::Run(argc, argv); }
