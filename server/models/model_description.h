// What the service tells of a model: GetModel, metrics, log lines and errors
// read it here.

#ifndef SERVER_MODELS_MODEL_DESCRIPTION_H_
#define SERVER_MODELS_MODEL_DESCRIPTION_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "server/precision/agreement.h"
#include "server/tasks/shared/task_kind.h"

namespace deberta::server {

// The precision that the others are held against.
inline constexpr std::string_view kFp32 = "fp32";

struct ModelDescription {
  std::string name = {};
  std::string family = {};  // "deberta" or "deberta-v2"
  std::vector<TaskKind> tasks = {};
  // What to tell who asks for a task that one might expect here.
  std::map<TaskKind, std::string> refusals = {};

  std::string precision{kFp32};            // served
  std::string requested_precision{kFp32};  // or "auto"
  // How the two came together; empty where fp32 was asked for.
  std::string precision_note = {};
  // Who computes matrix products: see model::Model::products().
  std::string products = {};
  // Of the precision served with fp32.
  Agreement agreement = {};
  // Whether fp32 is kept beside a lower precision.
  bool keeps_fp32 = false;

  int64_t version = 0;      // of those in a repository; 0 without versions
  std::string sha256 = {};  // of the weights file, in hexadecimal
  std::string weights_format = {};
  std::string tokenizer_profile = {};
  std::string fill_mask_decoder = {};  // "" without that head
  int64_t hidden_size = 0;
  int64_t layers = 0;
  int64_t parameters = 0;
  uint64_t resident_bytes = 0;  // of the networks and the tokenizer
  absl::Duration load_time = {};

  bool Has(TaskKind task) const;
  // Whether answers in fp32 can be had.
  bool HasFp32() const { return keeps_fp32 || precision == kFp32; }
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_MODEL_DESCRIPTION_H_
