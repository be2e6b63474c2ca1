// Who makes a call.

#ifndef SERVER_RPC_CALLER_H_
#define SERVER_RPC_CALLER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/base/priority.h"
#include "server/models/catalog.h"
#include "server/net/peer.h"
#include "server/security/authenticator.h"
#include "server/tracing/trace_context.h"

namespace deberta::server {

inline constexpr char kAuthorizationMetadata[] = "authorization";

struct Caller {
  // Of its token, else of its certificate, else the address without a port.
  std::string name;
  bool authenticated = false;
  Priority max_priority = Priority::kHigh;
  std::shared_ptr<const Account> account = {};  // none unless authenticated

  bool MayUse(std::string_view model) const {
    return account == nullptr || account->MayUse(model);
  }
};

// The trace that the call belongs to; none where it does not say, or not
// clearly.
std::optional<TraceContext> TraceOf(const grpc::ServerContextBase& context);

// The caller by its connection alone: the name of its certificate, else its
// address. `peers` knows the connections that gRPC has from a front; null: gRPC
// accepted them itself.
Caller UnknownCaller(const grpc::ServerContextBase& context,
                     const PeerTable* peers);

// Makes `caller` the one whose token the call carries. Without an authenticator
// it stays as it is. Unauthenticated if there is no good token.
absl::Status Authenticate(const grpc::ServerContextBase& context,
                          const Authenticator* authenticator, Caller* caller);

// As Catalog::Find(), among the models that the caller may use; of others it
// learns nothing. PermissionDenied for one that it names.
absl::StatusOr<size_t> FindModel(const Catalog& catalog, const Caller& caller,
                                 std::string_view name,
                                 std::optional<TaskKind> task = std::nullopt);

}  // namespace deberta::server

#endif  // SERVER_RPC_CALLER_H_
