// The proofs of deberta.json.

#ifndef SERVER_MODELS_PROOF_READER_H_
#define SERVER_MODELS_PROOF_READER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "json/json.h"
#include "server/models/proof.h"

namespace deberta::server {

// InvalidArgument names the proof and its field, such as proofs[3].score, what
// was expected and what was got.
absl::Status ReadProofs(const json::Value& value, std::vector<Proof>* proofs);

}  // namespace deberta::server

#endif  // SERVER_MODELS_PROOF_READER_H_
