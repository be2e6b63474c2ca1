#include "server/rpc/caller.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "server/base/error_reason.h"
#include "server/tasks/shared/task.h"

namespace deberta::server {
namespace {

// The one model that would do, of those that the caller may use.
absl::StatusOr<size_t> OnlyAllowed(const Catalog& catalog, const Caller& caller,
                                   std::optional<TaskKind> task) {
  std::vector<size_t> able;
  std::vector<std::string> names;
  for (size_t i = 0; i < catalog.models().size(); ++i) {
    const ModelDescription& told = catalog.models()[i]->description;
    if (!caller.MayUse(told.name)) continue;
    if (task.has_value() && !told.Has(*task)) continue;
    able.push_back(i);
    names.push_back(told.name);
  }
  if (able.size() == 1) return able[0];
  if (able.empty()) {
    return WithReason(absl::PermissionDeniedError(
                          "this token may use no model that would do"),
                      "MODEL_NOT_ALLOWED");
  }
  return WithReason(
      InputError("model", absl::StrCat("no model named, and several would do: ",
                                       absl::StrJoin(names, ", "))),
      "MODEL_AMBIGUOUS");
}

}  // namespace

std::optional<TraceContext> TraceOf(const grpc::ServerContextBase& context) {
  const auto [begin, end] =
      context.client_metadata().equal_range(kTraceParentMetadata);
  if (begin == end || std::next(begin) != end) return std::nullopt;
  return ParseTraceParent({begin->second.data(), begin->second.size()});
}

Caller UnknownCaller(const grpc::ServerContextBase& context,
                     const PeerTable* peers) {
  Peer peer = peers == nullptr ? ParsePeer(context.peer())
                               : peers->Find(context.peer());
  const bool certified = !peer.certificate_name.empty();
  std::string name =
      std::move(certified ? peer.certificate_name : peer.address);
  return {.name = name.empty() ? "unknown" : std::move(name),
          .authenticated = certified};
}

absl::Status Authenticate(const grpc::ServerContextBase& context,
                          const Authenticator* authenticator, Caller* caller) {
  if (authenticator == nullptr) return absl::OkStatus();
  const auto [begin, end] =
      context.client_metadata().equal_range(kAuthorizationMetadata);
  // Of two it would not be clear whose call it is.
  const bool one = begin != end && std::next(begin) == end;
  auto account = authenticator->Authenticate(
      one ? std::string_view(begin->second.data(), begin->second.size()) : "");
  if (!account.ok()) return account.status();
  caller->account = *std::move(account);
  caller->name = caller->account->rules().name;
  caller->max_priority = caller->account->rules().max_priority;
  caller->authenticated = true;
  return absl::OkStatus();
}

absl::StatusOr<size_t> FindModel(const Catalog& catalog, const Caller& caller,
                                 std::string_view name,
                                 std::optional<TaskKind> task) {
  const bool restricted =
      caller.account != nullptr && caller.account->rules().models.has_value();
  if (!restricted) {
    return task.has_value() ? catalog.Find(name, *task) : catalog.Find(name);
  }
  if (name.empty()) return OnlyAllowed(catalog, caller, task);
  if (!caller.MayUse(name)) {
    return WithReason(
        absl::PermissionDeniedError("this token may not use that model"),
        "MODEL_NOT_ALLOWED");
  }
  absl::StatusOr<size_t> found =
      task.has_value() ? catalog.Find(name, *task) : catalog.Find(name);
  // The catalog's message lists every model.
  if (absl::IsNotFound(found.status()))
    return absl::NotFoundError("no model of that name");
  return found;
}

}  // namespace deberta::server
