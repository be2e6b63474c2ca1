#include "server/base/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace deberta::server {
namespace {

constexpr absl::string_view kUnixPrefix = "unix:";
constexpr size_t kMaxPathBytes = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t kMaxPortDigits = 5;
constexpr int kMaxPort = 65535;

// -1 where `text` is no port.
int ParsePort(absl::string_view text) {
  int port = -1;
  if (text.size() > kMaxPortDigits ||
      !std::all_of(text.begin(), text.end(), absl::ascii_isdigit) ||
      !absl::SimpleAtoi(text, &port) || port > kMaxPort) {
    return -1;
  }
  return port;
}

bool IsIpv6(absl::string_view text) {
  const std::string address(text.substr(0, text.find('%')));  // %INTERFACE
  if (absl::EndsWith(text, "%")) return false;
  in6_addr parsed;
  return inet_pton(AF_INET6, address.c_str(), &parsed) == 1;
}

bool IsIpv4(absl::string_view text) {
  in_addr parsed;
  return inet_aton(std::string(text).c_str(), &parsed) == 1;
}

// No top-level domain is a number.
bool LooksLikeIpv4(absl::string_view host) {
  const absl::string_view last = host.substr(host.rfind('.') + 1);
  return !last.empty() &&
         std::all_of(last.begin(), last.end(), absl::ascii_isdigit);
}

// What is wrong with a host that stands without brackets, or "".
absl::string_view HostFault(absl::string_view host) {
  if (host.empty())
    return "there is no host; 0.0.0.0 and [::] stand for every interface";
  if (absl::StrContains(host, ':')) return "an IPv6 address needs brackets";
  for (const char c : host) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) &&
        !absl::StrContains("-._", c))
      return "the host has characters that no name has";
  }
  if (LooksLikeIpv4(host) && !IsIpv4(host))
    return "the host is no IPv4 address";
  return "";
}

// Reads `text` into `address`; returns what is wrong with it, or "".
std::string ReadUnix(absl::string_view path, Address* address) {
  if (!absl::StartsWith(path, "/")) return "the path must begin with /";
  if (path.size() > kMaxPathBytes) {
    return absl::StrCat("the path has ", path.size(),
                        " bytes, that of a socket has at most ", kMaxPathBytes);
  }
  address->path = std::string(path);
  return "";
}

std::string Read(absl::string_view text, Address* address) {
  if (absl::ConsumePrefix(&text, kUnixPrefix)) return ReadUnix(text, address);
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(text, "]"))
    return "there is no port";
  absl::string_view host = text.substr(0, colon);
  address->port = ParsePort(text.substr(colon + 1));
  if (address->port < 0)
    return absl::StrCat("the port must be a number from 0 to ", kMaxPort);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return "no IPv6 address stands in the brackets";
  } else if (const absl::string_view fault = HostFault(host); !fault.empty()) {
    return std::string(fault);
  }
  address->host = std::string(host);
  return "";
}

}  // namespace

std::string Address::ToString() const {
  if (is_unix()) return absl::StrCat(kUnixPrefix, path);
  const bool brackets = absl::StrContains(host, ':');
  return absl::StrCat(brackets ? "[" : "", host, brackets ? "]:" : ":", port);
}

absl::StatusOr<Address> ParseAddress(absl::string_view text) {
  Address address;
  const std::string fault = Read(text, &address);
  if (fault.empty()) return address;
  return absl::InvalidArgumentError(
      absl::StrCat("expected HOST:PORT, [IPV6]:PORT or unix:/PATH, got \"",
                   absl::Utf8SafeCEscape(text), "\": ", fault));
}

bool IsLocal(const Address& address) {
  if (address.is_unix() || address.host == "localhost") return true;
  in_addr v4;
  if (inet_aton(address.host.c_str(), &v4) == 1)
    return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
  in6_addr v6;
  return inet_pton(AF_INET6, address.host.c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace deberta::server
