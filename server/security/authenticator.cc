#include "server/security/authenticator.h"

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "files/regular_file.h"
#include "server/base/thrown.h"

namespace deberta::server {
namespace {

constexpr absl::string_view kScheme = "Bearer ";

// What is wrong, and of which file.
absl::Status CannotRead(absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("cannot read tokens of ", reason));
}

int64_t Nanoseconds(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Authenticator>> Authenticator::Open(
    std::string path, absl::Duration interval, ReloadObserver observer) {
  std::unique_ptr<Authenticator> authenticator(
      new Authenticator(std::move(path), std::move(observer)));
  authenticator->state_ = StateOf(authenticator->path_);
  if (absl::Status s = authenticator->Load(); !s.ok()) return s;
  if (interval < absl::InfiniteDuration()) {
    authenticator->watcher_.emplace([interval, self = authenticator.get()] {
      self->Poll();
      return interval;
    });
  }
  return authenticator;
}

absl::StatusOr<std::shared_ptr<const Account>> Authenticator::Authenticate(
    std::string_view authorization) const {
  const absl::string_view value(authorization.data(), authorization.size());
  if (!absl::StartsWithIgnoreCase(value, kScheme)) {
    return absl::UnauthenticatedError(
        "expected metadata authorization: Bearer TOKEN, once");
  }
  const TokenHash hash = HashToken(authorization.substr(kScheme.size()));
  std::shared_ptr<const Accounts> accounts;
  {
    const MutexLock lock(&mutex_);
    accounts = accounts_;
  }
  const std::optional<size_t> found = FindHash(accounts->hashes, hash);
  if (!found.has_value())
    return absl::UnauthenticatedError("the token is not one of this server's");
  return accounts->owners[*found];
}

void Authenticator::Poll() {
  const FileState state = StateOf(path_);
  if (state == state_) return;
  state_ = state;
  const absl::Status status = Guarded([this] { return Load(); });
  if (observer_) observer_(status, accounts());
}

size_t Authenticator::accounts() const {
  const MutexLock lock(&mutex_);
  return accounts_ == nullptr ? 0 : accounts_->all.size();
}

Authenticator::FileState Authenticator::StateOf(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return {};
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .size = status.st_size,
          .modified_ns = Nanoseconds(status.st_mtim),
          .changed_ns = Nanoseconds(status.st_ctim)};
}

absl::Status Authenticator::Load() {
  const absl::StatusOr<std::string> text =
      ReadSmallFile(path_, kMaxTokenFileBytes);
  if (!text.ok()) return CannotRead(text.status().message());
  absl::StatusOr<TokenFile> file = ParseTokenFile(*text);
  if (!file.ok())
    return CannotRead(absl::StrCat(path_, ": ", file.status().message()));
  std::map<std::string_view, const Account*> before;
  std::shared_ptr<const Accounts> old;
  {
    const MutexLock lock(&mutex_);
    old = accounts_;
  }
  if (old != nullptr) {
    for (const auto& account : old->all)
      before[account->rules().name] = account.get();
  }
  auto accounts = std::make_shared<Accounts>();
  for (AccountRules& rules : file->accounts) {
    const auto found = before.find(rules.name);
    accounts->all.push_back(std::make_shared<const Account>(
        std::move(rules), found == before.end() ? nullptr : found->second));
  }
  for (const size_t owner : file->owners)
    accounts->owners.push_back(accounts->all[owner]);
  accounts->hashes = std::move(file->hashes);
  const MutexLock lock(&mutex_);
  accounts_ = std::move(accounts);
  return absl::OkStatus();
}

}  // namespace deberta::server
