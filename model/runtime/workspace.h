// What running a batch needs: threads and scratch memory.

#ifndef MODEL_RUNTIME_WORKSPACE_H_
#define MODEL_RUNTIME_WORKSPACE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "model/runtime/thread_pool.h"

namespace deberta::model {

// An array of floats that only grows, aligned to pages. Growing zeroes the
// contents.
class FloatBuffer {
 public:
  FloatBuffer() = default;
  FloatBuffer(FloatBuffer&& other) noexcept;
  FloatBuffer& operator=(FloatBuffer&& other) noexcept;
  ~FloatBuffer();

  // At least `n` floats.
  float* Reserve(size_t n);
  // At least `n` elements of a type no wider than float, in the same memory.
  template <typename T>
  T* ReserveAs(size_t n) {
    static_assert(sizeof(T) <= sizeof(float));
    return reinterpret_cast<T*>(
        Reserve((n * sizeof(T) + sizeof(float) - 1) / sizeof(float)));
  }
  template <typename T>
  T* As() const {
    static_assert(sizeof(T) <= sizeof(float));
    return reinterpret_cast<T*>(floats_);
  }
  float* get() const { return floats_; }
  size_t capacity() const { return capacity_; }

 private:
  float* floats_ = nullptr;
  size_t capacity_ = 0;
};

// Of one thread of a pool, for use within one task.
struct ThreadScratch {
  FloatBuffer floats;
  // What a library that computes products keeps for the thread, in a type of
  // its own; made when it is first used.
  std::shared_ptr<void> products;
};

// Grows to the largest batch seen and stays. Not thread-safe: one batch at a
// time. Any model may use any workspace.
class Workspace {
 public:
  // Starts `threads` - 1 threads beside the calling one. REQUIRES: threads >=
  // 1.
  explicit Workspace(int threads);
  // For threads that are lent (ThreadPool::Lead) and bring their scratch along:
  // `scratch` has room for the number of each.
  explicit Workspace(std::shared_ptr<std::vector<ThreadScratch>> scratch);

  int threads() const { return pool_.threads(); }
  ThreadPool& pool() { return pool_; }
  ThreadScratch& thread_scratch(int thread) {
    return (*thread_scratch_)[static_cast<size_t>(thread)];
  }
  // Bytes held by all buffers, the threads' included.
  size_t bytes() const;

  // Rows of the batch being run.
  FloatBuffer hidden;        // [tokens, hidden]
  FloatBuffer encoded;       // rows entering a product, in its precision
  FloatBuffer row_scales;    // of these rows, in int8
  FloatBuffer projections;   // [tokens, 3 hidden]: queries, keys, values
  FloatBuffer context;       // [rows, hidden]: what attention gathered
  FloatBuffer dense;         // [rows, hidden]: a projection before its norm
  FloatBuffer intermediate;  // [rows of one pass, intermediate]
  FloatBuffer convolved;     // [tokens, hidden]
  FloatBuffer query_states;  // [rows, hidden] of the enhanced mask decoder
  FloatBuffer head;          // what the head reads and computes on the way
  FloatBuffer logits;        // [rows of one tile, logit width]

 private:
  ThreadPool pool_;
  const std::shared_ptr<std::vector<ThreadScratch>> thread_scratch_;
};

}  // namespace deberta::model

#endif  // MODEL_RUNTIME_WORKSPACE_H_
