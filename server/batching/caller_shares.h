// What each caller has had of the machine, by which the next turn is decided.
//
// Start-time fair queueing (Goyal, Vin and Cheng, 1996): a caller's account
// says when, on a clock that runs as fast as callers are served, it is its turn
// again. One that comes after a pause begins at the clock's time: it neither
// saves up nor owes for long. All amounts are machine seconds (CostModel).
//
// Not thread-safe.

#ifndef SERVER_BATCHING_CALLER_SHARES_H_
#define SERVER_BATCHING_CALLER_SHARES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"

namespace deberta::server {

class CallerShares {
 public:
  struct Account {
    double turn = 0;     // when it is this caller's turn again
    size_t waiting = 0;  // jobs
    size_t tokens = 0;   // of work, that wait
    // When a job of each Priority was last served; InfinitePast before.
    std::array<absl::Time, 3> served_at = {
        absl::InfinitePast(), absl::InfinitePast(), absl::InfinitePast()};
    double backlog = 0;    // scratch of predictions
    uint64_t counted = 0;  // the prediction that `backlog` is of
  };

  // The account of a caller of whom one job more waits.
  std::shared_ptr<Account> Arrive(const std::string& caller);
  // One of its jobs waits no more.
  void Leave(Account& account);
  // It is served so much. REQUIRES: of its jobs one waits.
  void Serve(Account& account, double seconds);

  // The caller's account; null if it has none.
  const Account* Find(std::string_view caller) const;
  // When it would be the turn of who has this account, or none yet (null), if
  // it came now.
  double TurnOf(const Account* account) const;
  // Accounts that are kept: of callers who wait, or had more than the clock
  // says.
  size_t size() const { return accounts_.size(); }

 private:
  void Forget();

  // Finds names that are no strings of their own.
  struct NameHash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  std::unordered_map<std::string, std::shared_ptr<Account>, NameHash,
                     std::equal_to<>>
      accounts_;
  double clock_ = 0;
  size_t active_ = 0;  // callers who wait
  size_t forget_at_ = 64;
};

}  // namespace deberta::server

#endif  // SERVER_BATCHING_CALLER_SHARES_H_
