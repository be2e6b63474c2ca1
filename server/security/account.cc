#include "server/security/account.h"

#include <algorithm>
#include <utility>

namespace deberta::server {
namespace {

std::shared_ptr<TokenBucket> Bucket(const std::optional<Rate>& rate,
                                    const std::optional<Rate>& before,
                                    std::shared_ptr<TokenBucket> bucket) {
  if (!rate.has_value()) return nullptr;
  if (rate == before) return bucket;
  return std::make_shared<TokenBucket>(*rate);
}

}  // namespace

Account::Account(AccountRules rules, const Account* before)
    : rules_(std::move(rules)),
      entering_(before == nullptr ? std::make_shared<Mutex>()
                                  : before->entering_) {
  static const AccountRules kNone;
  const AccountRules& old = before == nullptr ? kNone : before->rules_;
  requests_ = Bucket(rules_.requests, old.requests,
                     before == nullptr ? nullptr : before->requests_);
  tokens_ = Bucket(rules_.tokens, old.tokens,
                   before == nullptr ? nullptr : before->tokens_);
}

absl::Duration Account::Enter(absl::Time now) const {
  // Of two calls at once only one finds the last place.
  const MutexLock lock(entering_.get());
  absl::Duration wait = absl::ZeroDuration();
  if (requests_ != nullptr) wait = requests_->WaitFor(1, now);
  if (tokens_ != nullptr) wait = std::max(wait, tokens_->WaitFor(1, now));
  if (wait == absl::ZeroDuration() && requests_ != nullptr)
    requests_->Take(1, now);
  return wait;
}

void Account::Spend(size_t tokens, absl::Time now) const {
  if (tokens_ != nullptr) tokens_->Take(static_cast<double>(tokens), now);
}

}  // namespace deberta::server
