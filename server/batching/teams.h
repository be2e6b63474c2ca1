// How threads share batches: pure rules.
//
// A free thread leads the next batch that waits. With none waiting, it joins
// the team of a batch that runs, until that ends or a batch waits for which no
// thread is free. So with F threads free and B batches waiting,
// each batch comes to about F / B threads; one alone gets all that it can use,
// and as many batches as threads, or more, get one each.

#ifndef SERVER_BATCHING_TEAMS_H_
#define SERVER_BATCHING_TEAMS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace deberta::server {

// The threads at work on one batch; none: there is no batch.
struct Team {
  int threads = 0;
  int most = 0;          // threads that its batch can use
  size_t tokens = 0;     // its batch, in tokens of work
  uint32_t session = 0;  // see model::ThreadPool::Help
};

// Threads, at most `limit` and at least 1, that shorten the time of a batch of
// so many tokens.
int MostThreads(size_t tokens, int limit);

// The team with room that has the most tokens for each thread; none if no team
// has room.
std::optional<size_t> TeamToJoin(std::span<const Team> teams);

}  // namespace deberta::server

#endif  // SERVER_BATCHING_TEAMS_H_
