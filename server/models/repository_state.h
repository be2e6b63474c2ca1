// What is to be done about a model repository, from what is seen of it: pure
// rules, no files and no clock.
//
// A directory is loaded once two looks in a row have seen it alike, so that one
// that is still being copied is not; so too a model is removed. A look that is
// `settled` asks for no second. A version that failed is tried again only when
// it looks different, or at the next settled look.

#ifndef SERVER_MODELS_REPOSITORY_STATE_H_
#define SERVER_MODELS_REPOSITORY_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/models/repository_listing.h"

namespace deberta::server {

// A directory as it was seen.
struct ModelVersion {
  std::string model;
  int64_t version = 0;
  DirectoryStamp stamp;
};

class RepositoryState {
 public:
  void Look(RepositoryListing now, bool settled);

  // Served models whose directories are gone.
  std::vector<std::string> Gone() const;
  // What should be loaded next, highest version first:
  //   a version above the one that is served, or any where none is
  //   the served version, if its files are others now
  //   any other, if the served version is gone
  std::optional<ModelVersion> Next() const;

  // What came of it.
  void Loaded(const ModelVersion& loaded);
  void Failed(const ModelVersion& failed);
  void Removed(const std::string& model);

 private:
  struct Served {
    int64_t version = 0;
    DirectoryStamp stamp;
  };

  bool IsWanted(const std::string& model, int64_t version,
                const DirectoryStamp& stamp) const;

  RepositoryListing now_;
  // Of `now_`, what was seen alike before.
  std::set<std::pair<std::string, int64_t>> stable_;
  std::set<std::string> missed_;  // served, and not there at the last look
  std::set<std::string> gone_;
  std::map<std::string, Served> served_;
  std::map<std::pair<std::string, int64_t>, DirectoryStamp> failed_;
};

}  // namespace deberta::server

#endif  // SERVER_MODELS_REPOSITORY_STATE_H_
