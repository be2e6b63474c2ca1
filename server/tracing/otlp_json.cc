#include "server/tracing/otlp_json.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <variant>

#include "absl/strings/str_cat.h"

namespace deberta::server {
namespace {

using Json = nlohmann::ordered_json;

// Numbers of the protocol's enums, which its JSON does not write as names.
constexpr int kKindInternal = 1;
constexpr int kKindServer = 2;
constexpr int kStatusError = 2;

// 64-bit numbers are strings in Protobuf's JSON.
Json ValueOf(const std::variant<std::string, int64_t>& value) {
  if (const auto* text = std::get_if<std::string>(&value))
    return {{"stringValue", *text}};
  return {{"intValue", absl::StrCat(std::get<int64_t>(value))}};
}

Json AttributeOf(std::string_view name,
                 const std::variant<std::string, int64_t>& value) {
  return {{"key", name}, {"value", ValueOf(value)}};
}

Json SpanOf(const Span& span) {
  Json attributes = Json::array();
  for (const SpanAttribute& attribute : span.attributes)
    attributes.push_back(AttributeOf(attribute.name, attribute.value));
  Json json = {{"traceId", span.trace_id}, {"spanId", span.span_id}};
  if (!span.parent_id.empty()) json["parentSpanId"] = span.parent_id;
  json["name"] = span.name;
  json["kind"] = span.server ? kKindServer : kKindInternal;
  json["startTimeUnixNano"] = absl::StrCat(absl::ToUnixNanos(span.start));
  json["endTimeUnixNano"] = absl::StrCat(absl::ToUnixNanos(span.end));
  json["attributes"] = attributes;
  json["status"] = Json::object();
  if (!span.error.empty())
    json["status"] = {{"message", span.error}, {"code", kStatusError}};
  return json;
}

}  // namespace

std::string OtlpJson(absl::Span<const Span> spans, std::string_view version) {
  Json of_scope = Json::array();
  for (const Span& span : spans) of_scope.push_back(SpanOf(span));
  const Json scope = {{"name", "deberta-server"}, {"version", version}};
  const Json resource_attributes =
      Json::array({AttributeOf("service.name", std::string("deberta-server")),
                   AttributeOf("service.version", std::string(version))});
  Json of_resource = Json::object();
  of_resource["resource"]["attributes"] = resource_attributes;
  of_resource["scopeSpans"] =
      Json::array({Json{{"scope", scope}, {"spans", of_scope}}});
  Json request = Json::object();
  request["resourceSpans"] = Json::array({of_resource});
  return request.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace deberta::server
