#include "server/batching/caller_shares.h"

#include <algorithm>

namespace deberta::server {

std::shared_ptr<CallerShares::Account> CallerShares::Arrive(
    const std::string& caller) {
  if (accounts_.size() >= forget_at_) Forget();
  std::shared_ptr<Account>& account = accounts_[caller];
  if (account == nullptr) {
    try {
      account = std::make_shared<Account>();
    } catch (...) {
      accounts_.erase(caller);
      throw;
    }
  }
  // Nothing throws any more.
  if (account->waiting++ == 0) {
    account->turn = std::max(account->turn, clock_);
    ++active_;
  }
  return account;
}

void CallerShares::Leave(Account& account) {
  if (--account.waiting == 0) --active_;
}

void CallerShares::Serve(Account& account, double seconds) {
  // One that comes meanwhile goes before the next of who is served now; and the
  // clock goes on though everybody who comes is new.
  clock_ = std::max(clock_, account.turn) +
           seconds / static_cast<double>(active_ + 1);
  account.turn += seconds;
}

const CallerShares::Account* CallerShares::Find(std::string_view caller) const {
  const auto account = accounts_.find(caller);
  return account == accounts_.end() ? nullptr : account->second.get();
}

double CallerShares::TurnOf(const Account* account) const {
  return account == nullptr ? clock_ : std::max(clock_, account->turn);
}

void CallerShares::Forget() {
  std::erase_if(accounts_, [this](const auto& entry) {
    return entry.second->waiting == 0 &&
           (active_ == 0 || entry.second->turn <= clock_);
  });
  forget_at_ = std::max<size_t>(64, 2 * accounts_.size());
}

}  // namespace deberta::server
