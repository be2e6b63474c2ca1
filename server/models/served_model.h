// What the service knows of a loaded model.

#ifndef SERVER_MODELS_SERVED_MODEL_H_
#define SERVER_MODELS_SERVED_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/tasks/shared/task.h"
#include "server/tasks/shared/task_kind.h"

namespace deberta::server {

// The precision that the others are held against.
inline constexpr std::string_view kFp32 = "fp32";

struct ServedModel {
  std::string name;
  std::string precision;            // served
  std::string requested_precision;  // or "auto"
  // How the two came together; empty where fp32 was asked for.
  std::string precision_note;
  // Of the precision served with fp32.
  double label_agreement = 1;
  double max_logit_change = 0;
  std::string family;
  std::vector<TaskKind> tasks;
  std::string sha256;  // of the weights file, in hexadecimal
  std::vector<std::string> labels;
  int64_t hidden_size = 0;
  int64_t layers = 0;
  int64_t parameters = 0;
  std::string weights_format;
  std::string tokenizer_profile;
  std::string fill_mask_decoder;  // "" without that head
  uint64_t resident_bytes = 0;
  TaskModel task_model;
  // The scheduler's queue that computes in fp32 where `precision` is another;
  // none if fp32 was not kept.
  std::optional<size_t> fp32_queue = {};
  // What to tell who asks for a task that one might expect here.
  std::map<TaskKind, std::string> refusals = {};

  bool Has(TaskKind task) const;
  // Whether answers in fp32 can be had.
  bool HasFp32() const;
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_SERVED_MODEL_H_
