// A call as spans: one of the server, and below it tokenize, queue and compute,
// as far as the call came.

#ifndef SERVER_CALL_SPANS_H_
#define SERVER_CALL_SPANS_H_

#include <vector>

#include "server/rpc/request_report.h"
#include "server/tracing/span.h"

namespace deberta::server {

// In the trace of the call, or in a new one. The parts follow each other and
// lie within the call; where a task takes several rounds, queue and compute are
// the sums over them. Nothing of a request's texts is in it.
std::vector<Span> SpansOf(const RequestReport& report);

}  // namespace deberta::server

#endif  // SERVER_CALL_SPANS_H_
