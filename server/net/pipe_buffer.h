// The bytes of one direction on their way, in a buffer that is there only while
// they are.

#ifndef SERVER_NET_PIPE_BUFFER_H_
#define SERVER_NET_PIPE_BUFFER_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta::server {

inline constexpr size_t kPipeBytes = size_t{64} << 10;

// A few buffers that were used before. Not thread-safe.
class PipeBlocks {
 public:
  using Block = std::array<char, kPipeBytes>;

  std::unique_ptr<Block> Take() {
    // Not made zero: it is written before it is read.
    if (free_.empty()) return std::unique_ptr<Block>(new Block);
    std::unique_ptr<Block> block = std::move(free_.back());
    free_.pop_back();
    return block;
  }
  void Give(std::unique_ptr<Block> block) {
    if (block != nullptr && free_.size() < kKept)
      free_.push_back(std::move(block));
  }

 private:
  static constexpr size_t kKept = 8;
  std::vector<std::unique_ptr<Block>> free_;
};

class PipeBuffer {
 public:
  // `blocks` outlives the buffer.
  explicit PipeBuffer(PipeBlocks* blocks) : blocks_(blocks) {}
  ~PipeBuffer() { Release(); }
  PipeBuffer(const PipeBuffer&) = delete;
  PipeBuffer& operator=(const PipeBuffer&) = delete;

  bool empty() const { return begin_ == end_; }
  std::string_view bytes() const {
    return empty() ? std::string_view()
                   : std::string_view(block_->data() + begin_, end_ - begin_);
  }

  // Where more may be written, and how much; never none of an empty buffer.
  char* space() {
    if (block_ == nullptr) block_ = blocks_->Take();
    return block_->data() + end_;
  }
  size_t space_bytes() const { return kPipeBytes - end_; }
  void Written(size_t bytes) { end_ += bytes; }

  void Consume(size_t bytes) {
    begin_ += bytes;
    if (empty()) begin_ = end_ = 0;
  }
  // Gives the memory of an empty buffer back.
  void Trim() {
    if (empty()) Release();
  }

 private:
  void Release() { blocks_->Give(std::move(block_)); }

  PipeBlocks* const blocks_;
  std::unique_ptr<PipeBlocks::Block> block_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace deberta::server

#endif  // SERVER_NET_PIPE_BUFFER_H_
