// The entries of a zip archive that is held in memory.
//
// Only what PyTorch writes is read: entries stored without compression or
// encryption, on one disk, Zip64 or not. The central directory counts; what the
// local headers say must agree with it.

#ifndef MODEL_CHECKPOINT_ZIP_H_
#define MODEL_CHECKPOINT_ZIP_H_

#include <cstddef>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace deberta::model {

// The bytes of each entry by name.
using ZipEntries =
    std::map<std::string, std::span<const std::byte>, std::less<>>;

// The spans point into `file`. InvalidArgument says what is wrong; no entry of
// the result lies outside the file, overlaps another or has another's name.
// Names are any bytes. Checksums are not compared: PyTorch can be told to write
// none (torch.serialization.set_crc32_options).
absl::StatusOr<ZipEntries> ParseZip(std::span<const std::byte> file);

}  // namespace deberta::model

#endif  // MODEL_CHECKPOINT_ZIP_H_
