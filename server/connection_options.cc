#include "server/connection_options.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/flag.h"
#include "absl/strings/str_cat.h"
#include "server/flags/flags.h"

namespace deberta::server {
namespace {

constexpr int kMostConnections = 1'000'000;
constexpr int kMostSeconds = 7 * 24 * 3600;
constexpr int kMostMetadataBytes = 1 << 20;
// A header block of so many times a call's metadata ends the connection.
constexpr size_t kHeaderBlockTimes = 8;

struct Range {
  const absl::CommandLineFlag& flag;
  int64_t value;
  int64_t least;
  int64_t most;
};

#define DEBERTA_RANGE(name, least, most)                  \
  Range {                                                 \
    absl::GetFlagReflectionHandle(FLAGS_##name),          \
        int64_t{absl::GetFlag(FLAGS_##name)}, least, most \
  }

absl::Status CheckRanges() {
  for (const Range& range :
       {DEBERTA_RANGE(max_connections, 1, kMostConnections),
        DEBERTA_RANGE(max_connections_per_peer, 1, kMostConnections),
        DEBERTA_RANGE(max_streams, 1, kMostConnections),
        DEBERTA_RANGE(max_resets_per_second, 1, kMostConnections),
        DEBERTA_RANGE(max_metadata_bytes, 1024, kMostMetadataBytes),
        DEBERTA_RANGE(stall_seconds, 1, kMostSeconds),
        DEBERTA_RANGE(max_connection_idle_seconds, 0, kMostSeconds),
        DEBERTA_RANGE(max_connection_age_seconds, 0, kMostSeconds),
        DEBERTA_RANGE(max_connection_age_grace_seconds, 0, kMostSeconds)}) {
    if (range.value >= range.least && range.value <= range.most) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("--", range.flag.Name(), ": expected a number from ",
                     range.least, " to ", range.most, ", got ", range.value));
  }
  return absl::OkStatus();
}

#undef DEBERTA_RANGE

absl::StatusOr<std::optional<TlsFiles>> ReadTls() {
  TlsFiles files = {.certificate = absl::GetFlag(FLAGS_tls_cert_file),
                    .key = absl::GetFlag(FLAGS_tls_key_file),
                    .client_ca = absl::GetFlag(FLAGS_tls_client_ca_file)};
  if (files.certificate.empty() != files.key.empty()) {
    return absl::InvalidArgumentError(
        "--tls_cert_file and --tls_key_file need each other, only one is set");
  }
  if (!files.certificate.empty()) return files;
  if (files.client_ca.empty()) return std::nullopt;
  return absl::InvalidArgumentError(
      "--tls_client_ca_file needs --tls_cert_file and --tls_key_file");
}

absl::StatusOr<std::optional<Address>> ReadHealthAddress() {
  const std::string text = absl::GetFlag(FLAGS_health_listen);
  if (text.empty()) return std::nullopt;
  absl::StatusOr<Address> address = ParseAddress(text);
  if (address.ok()) return *std::move(address);
  return absl::InvalidArgumentError(
      absl::StrCat("--health_listen: ", address.status().message()));
}

absl::Duration ForEverIfZero(int seconds) {
  return seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(seconds);
}

}  // namespace

absl::StatusOr<ConnectionOptions> ConnectionOptionsFromFlags() {
  if (absl::Status s = CheckRanges(); !s.ok()) return s;
  absl::StatusOr<std::optional<TlsFiles>> tls = ReadTls();
  if (!tls.ok()) return tls.status();
  absl::StatusOr<std::optional<Address>> health = ReadHealthAddress();
  if (!health.ok()) return health.status();
  const int metadata = absl::GetFlag(FLAGS_max_metadata_bytes);
  return ConnectionOptions{
      .health_listen = *std::move(health),
      .tls = *std::move(tls),
      .limits = {.max_connections =
                     static_cast<size_t>(absl::GetFlag(FLAGS_max_connections)),
                 .max_connections_per_peer = static_cast<size_t>(
                     absl::GetFlag(FLAGS_max_connections_per_peer)),
                 .max_streams =
                     static_cast<size_t>(absl::GetFlag(FLAGS_max_streams)),
                 .max_header_block_bytes =
                     kHeaderBlockTimes * static_cast<size_t>(metadata),
                 .max_resets_per_second = static_cast<double>(
                     absl::GetFlag(FLAGS_max_resets_per_second)),
                 .stall_time =
                     absl::Seconds(absl::GetFlag(FLAGS_stall_seconds))},
      .reflection = absl::GetFlag(FLAGS_reflection),
      .allow_compression = absl::GetFlag(FLAGS_allow_compression),
      .max_metadata_bytes = metadata,
      .max_idle =
          ForEverIfZero(absl::GetFlag(FLAGS_max_connection_idle_seconds)),
      .max_age = ForEverIfZero(absl::GetFlag(FLAGS_max_connection_age_seconds)),
      .max_age_grace =
          ForEverIfZero(absl::GetFlag(FLAGS_max_connection_age_grace_seconds))};
}

}  // namespace deberta::server
