// What a request makes the server hold: said in one place, in the units of its
// parts, and priced in bytes by one formula.

#ifndef SERVER_TASKS_SHARED_COST_H_
#define SERVER_TASKS_SHARED_COST_H_

#include <cstddef>

namespace deberta::server {

struct Cost {
  // Of the message as it was sent.
  size_t request_bytes = 0;
  // Of the message, at every depth: strings, numbers and messages.
  size_t request_fields = 0;
  // Of texts that are about to be tokenized.
  size_t text_bytes = 0;
  size_t inputs = 0;
  // That the texts take, template tokens included.
  size_t tokens = 0;
  // Of all sequences that the model computes, about; held a round at a time.
  size_t computed_tokens = 0;
  // Values of the model's outputs that are there at a time.
  size_t output_floats = 0;
  // Of the answer as it is sent, about.
  size_t answer_bytes = 0;
};

// Values of the outputs that one request has at a time, unless a single
// sequence has more.
inline constexpr size_t kMaxRoundFloats = size_t{1} << 22;

// Most bytes that a request of this cost holds at a time, about. The bytes of
// each unit were measured on requests made to take the most (docs/limits.md).
constexpr size_t HeldBytes(const Cost& cost) {
  // The parsed message's object or string, and the task's own.
  constexpr size_t kField = 160;
  // Its normalized form with where each character came from, and the tokens as
  // they grow.
  constexpr size_t kTextByte = 32;
  // Its tokens' lists, its plan and its coverage.
  constexpr size_t kInput = 256;
  // Its id, place and word.
  constexpr size_t kToken = 24;
  // In the batch, and in the job that takes it.
  constexpr size_t kFloat = 2 * sizeof(float);
  return cost.request_bytes + cost.request_fields * kField +
         cost.text_bytes * kTextByte + cost.inputs * kInput +
         cost.tokens * kToken + cost.output_floats * kFloat + cost.answer_bytes;
}

}  // namespace deberta::server

#endif  // SERVER_TASKS_SHARED_COST_H_
