// A file descriptor with an owner.

#ifndef SERVER_NET_DESCRIPTOR_H_
#define SERVER_NET_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace deberta::server {

class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : value_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      value_ = other.Release();
    }
    return *this;
  }

  bool ok() const { return value_ >= 0; }
  int get() const { return value_; }
  int Release() { return std::exchange(value_, -1); }
  void Close() {
    if (ok()) close(Release());
  }

 private:
  int value_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_DESCRIPTOR_H_
