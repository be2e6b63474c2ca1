// Spans as a collector takes them: an ExportTraceServiceRequest of OTLP 1.x in
// its JSON encoding,
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding

#ifndef SERVER_TRACING_OTLP_JSON_H_
#define SERVER_TRACING_OTLP_JSON_H_

#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "server/tracing/span.h"

namespace deberta::server {

// Of the service "deberta-server" in that version. Bytes that are not UTF-8
// become U+FFFD.
std::string OtlpJson(absl::Span<const Span> spans, std::string_view version);

}  // namespace deberta::server

#endif  // SERVER_TRACING_OTLP_JSON_H_
