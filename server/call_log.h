// The log's line about one call:
//
//   {"ts":...,"level":"info","msg":"call","method":"classify","model":"m",
//    "code":"OK","caller":"127.0.0.1","inputs":1,"tokens":9,
//    "total_ms":1.802,"tokenize_ms":0.071,"queue_ms":0.012,"compute_ms":1.604}
//
// and "reason" of a call that failed, "trace_id" of one with a traceparent.
// Nothing of a request's texts is in it.

#ifndef SERVER_CALL_LOG_H_
#define SERVER_CALL_LOG_H_

#include "server/base/log.h"
#include "server/rpc/request_report.h"

namespace deberta::server {

void LogCall(const RequestReport& report, Log* log);

}  // namespace deberta::server

#endif  // SERVER_CALL_LOG_H_
