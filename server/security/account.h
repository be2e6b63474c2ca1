// Who may call: one entry of --tokens_file.

#ifndef SERVER_SECURITY_ACCOUNT_H_
#define SERVER_SECURITY_ACCOUNT_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "server/base/mutex.h"
#include "server/base/priority.h"
#include "server/security/token_bucket.h"

namespace deberta::server {

// What the entry says, but for the tokens' hashes.
struct AccountRules {
  std::string name;
  std::optional<std::set<std::string, std::less<>>> models =
      {};  // none: every one
  Priority max_priority = Priority::kHigh;
  std::optional<Rate> requests = {};
  std::optional<Rate> tokens = {};  // of the models' input
};

class Account {
 public:
  // Goes on with what `before` has spent, at the rates that stay the same.
  explicit Account(AccountRules rules, const Account* before = nullptr);

  const AccountRules& rules() const { return rules_; }
  bool MayUse(std::string_view model) const {
    return !rules_.models.has_value() || rules_.models->contains(model);
  }

  // Counts a call. Where it comes too early it is not counted, and this is how
  // long it should have waited; else zero.
  absl::Duration Enter(absl::Time now) const;
  // Counts what the call read, when that is known.
  void Spend(size_t tokens, absl::Time now) const;

 private:
  const AccountRules rules_;
  // Shared with the accounts of the same name before and after it.
  std::shared_ptr<TokenBucket> requests_;
  std::shared_ptr<TokenBucket> tokens_;
  const std::shared_ptr<Mutex> entering_;
};

}  // namespace deberta::server

#endif  // SERVER_SECURITY_ACCOUNT_H_
