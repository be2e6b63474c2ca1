// Shows how far a model's loading is: a line that is redrawn on a terminal,
// nothing otherwise.

#ifndef SERVER_MODELS_LOAD_PROGRESS_H_
#define SERVER_MODELS_LOAD_PROGRESS_H_

#include <cstdio>
#include <string>

#include "model/model.h"

namespace deberta::server {

class LoadProgressLine {
 public:
  // Silent unless `stream` is a terminal. `stream` outlives the line.
  LoadProgressLine(std::FILE* stream, std::string model);
  // Clears the line.
  ~LoadProgressLine();
  LoadProgressLine(const LoadProgressLine&) = delete;
  LoadProgressLine& operator=(const LoadProgressLine&) = delete;

  void Show(const model::LoadProgress& progress);

 private:
  std::FILE* const stream_;
  const std::string model_;
  const bool terminal_;
};

// "demo  12/199 tensors  3.4/12.0 MB"
std::string FormatProgress(const std::string& model,
                           const model::LoadProgress& progress);

}  // namespace deberta::server

#endif  // SERVER_MODELS_LOAD_PROGRESS_H_
