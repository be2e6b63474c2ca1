// Bytes to and from a client, over a socket that does not block.

#ifndef SERVER_NET_TRANSPORT_H_
#define SERVER_NET_TRANSPORT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace deberta::server {

enum class Io {
  kDone,     // so many bytes
  kBlocked,  // when the socket can, again
  kEnded,    // the client sends no more
  kBroken,   // nothing goes any more
};

struct IoResult {
  Io io = Io::kDone;
  size_t bytes = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;

  // To be called until it does not block, before anything is read or written.
  virtual Io Handshake() = 0;
  // Whether a handshake that blocks waits for room to write.
  virtual bool handshake_writes() const = 0;
  // Of the client's certificate; "" without one.
  virtual std::string certificate_name() const = 0;

  virtual IoResult Read(char* bytes, size_t size) = 0;
  // Whether a read of less than was asked for may leave bytes that the socket
  // does not tell of.
  virtual bool holds_bytes() const = 0;
  virtual IoResult Write(std::string_view bytes) = 0;
  // Tells the client that no more comes.
  virtual void End() = 0;
};

// The bytes as they are.
class PlainTransport final : public Transport {
 public:
  // `descriptor` is the caller's.
  explicit PlainTransport(int descriptor) : descriptor_(descriptor) {}

  Io Handshake() override { return Io::kDone; }
  bool handshake_writes() const override { return false; }
  std::string certificate_name() const override { return ""; }
  IoResult Read(char* bytes, size_t size) override;
  bool holds_bytes() const override { return false; }
  IoResult Write(std::string_view bytes) override;
  void End() override;

 private:
  const int descriptor_;
};

}  // namespace deberta::server

#endif  // SERVER_NET_TRANSPORT_H_
