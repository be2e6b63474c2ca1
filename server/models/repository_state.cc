#include "server/models/repository_state.h"

#include <utility>

namespace deberta::server {

void RepositoryState::Look(RepositoryListing now, bool settled) {
  const RepositoryListing before = std::exchange(now_, std::move(now));
  stable_.clear();
  for (const auto& [model, versions] : now_.models) {
    const auto known = before.models.find(model);
    for (const auto& [version, stamp] : versions) {
      const bool alike = known != before.models.end() &&
                         known->second.contains(version) &&
                         known->second.at(version) == stamp;
      if (settled || alike) stable_.emplace(model, version);
    }
  }
  std::erase_if(failed_, [&](const auto& failed) {
    if (settled) return true;
    const auto found = now_.models.find(failed.first.first);
    return found == now_.models.end() ||
           !found->second.contains(failed.first.second);
  });
  std::set<std::string> missed;
  gone_.clear();
  for (const auto& [model, served] : served_) {
    if (now_.models.contains(model)) continue;
    missed.insert(model);
    if (settled || missed_.contains(model)) gone_.insert(model);
  }
  missed_ = std::move(missed);
}

std::vector<std::string> RepositoryState::Gone() const {
  return {gone_.begin(), gone_.end()};
}

std::optional<ModelVersion> RepositoryState::Next() const {
  for (const auto& [model, versions] : now_.models) {
    // The newest first.
    for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
      const auto& [version, stamp] = *at;
      if (stable_.contains({model, version}) &&
          IsWanted(model, version, stamp)) {
        return ModelVersion{model, version, stamp};
      }
    }
  }
  return std::nullopt;
}

bool RepositoryState::IsWanted(const std::string& model, int64_t version,
                               const DirectoryStamp& stamp) const {
  const auto failed = failed_.find({model, version});
  if (failed != failed_.end() && failed->second == stamp) return false;
  const auto served = served_.find(model);
  if (served == served_.end()) return true;
  const Served& now = served->second;
  if (version == now.version) return stamp != now.stamp;
  return version > now.version || !now_.models.at(model).contains(now.version);
}

void RepositoryState::Loaded(const ModelVersion& loaded) {
  served_[loaded.model] = {loaded.version, loaded.stamp};
}

void RepositoryState::Failed(const ModelVersion& failed) {
  failed_[{failed.model, failed.version}] = failed.stamp;
}

void RepositoryState::Removed(const std::string& model) {
  served_.erase(model);
  missed_.erase(model);
  gone_.erase(model);
}

}  // namespace deberta::server
