// What epoll is asked for a descriptor.

#ifndef SERVER_NET_EPOLL_H_
#define SERVER_NET_EPOLL_H_

#include <sys/epoll.h>

#include <cstdint>

#include "server/net/descriptor.h"

namespace deberta::server {

// Asks for `wanted` (0: nothing) where that is not what was `asked` before;
// `data` comes with what epoll tells.
inline void Watch(const Descriptor& epoll, int descriptor, uint64_t data,
                  uint32_t wanted, uint32_t* asked) {
  if (wanted == *asked) return;
  epoll_event event = {.events = wanted, .data = {.u64 = data}};
  const int operation = wanted == 0   ? EPOLL_CTL_DEL
                        : *asked == 0 ? EPOLL_CTL_ADD
                                      : EPOLL_CTL_MOD;
  epoll_ctl(epoll.get(), operation, descriptor, &event);
  *asked = wanted;
}

}  // namespace deberta::server

#endif  // SERVER_NET_EPOLL_H_
