// Sockets that listen on an address; where they cannot, the system's reason.

#ifndef SERVER_BASE_LISTENING_SOCKET_H_
#define SERVER_BASE_LISTENING_SOCKET_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/base/address.h"

namespace deberta::server {

// The file of a unix socket, told by its inode from another's that stands in
// its place; the inode is its own as long as the socket is open.
class SocketFile {
 public:
  SocketFile() = default;  // of no file
  // The file that is at `path` now.
  static SocketFile At(const std::string& path);

  // Removes the file if it still is the one. May be called again.
  void Remove() const;

 private:
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// Owns its descriptors, which do not block, and the file of a unix socket.
class ListeningSockets {
 public:
  // Listens on every address of the host, or on a unix socket. A file that a
  // server left behind there is replaced; one that a server listens to is an
  // error, as is any other file. Errors carry the system's reason, without the
  // address.
  static absl::StatusOr<ListeningSockets> Open(const Address& address);
  ~ListeningSockets();
  ListeningSockets(ListeningSockets&& other) noexcept;
  ListeningSockets(const ListeningSockets&) = delete;
  ListeningSockets& operator=(const ListeningSockets&) = delete;

  // One that all share; 0 for a unix socket.
  int port() const { return port_; }
  const SocketFile& file() const { return file_; }

  // Gives up the descriptors, which the caller closes, but not the file.
  std::vector<int> ReleaseDescriptors();

 private:
  ListeningSockets() = default;
  absl::Status OpenUnix(const std::string& path);
  absl::Status OpenInternet(const std::string& host, int port);

  std::vector<int> descriptors_;
  int port_ = 0;
  SocketFile file_;
};

}  // namespace deberta::server

#endif  // SERVER_BASE_LISTENING_SOCKET_H_
