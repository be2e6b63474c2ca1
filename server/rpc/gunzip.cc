#include "server/rpc/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "server/base/error_reason.h"

namespace deberta::server {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest, in gzip's wrapping
constexpr size_t kFirstBytes = size_t{16} << 10;

absl::Status NotGzip() {
  return absl::InvalidArgumentError("the compressed request is not valid gzip");
}

}  // namespace

bool IsGzip(std::string_view bytes) {
  return bytes.size() >= 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

absl::StatusOr<std::string> Gunzip(std::string_view bytes, size_t most) {
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK)
    return absl::ResourceExhaustedError("no memory to unpack the request");
  const absl::Cleanup end = [&stream] { inflateEnd(&stream); };
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  int result = Z_OK;
  while (result != Z_STREAM_END) {
    // One byte more than may be, to see that there is one.
    const size_t have = out.size();
    const size_t room = std::min(std::max(kFirstBytes, have), most + 1 - have);
    out.resize(have + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = static_cast<uInt>(room);
    result = inflate(&stream, Z_NO_FLUSH);
    out.resize(have + room - stream.avail_out);
    if (out.size() > most) {
      return WithReason(
          absl::ResourceExhaustedError(absl::StrCat(
              "the compressed request unpacks to more than ", most, " bytes")),
          "REQUEST_TOO_LARGE");
    }
    if (result != Z_OK && result != Z_STREAM_END) return NotGzip();
    if (result == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)
      return NotGzip();
  }
  if (stream.avail_in > 0) return NotGzip();
  return out;
}

}  // namespace deberta::server
