// Exceptions, which only the libraries throw, as statuses.

#ifndef SERVER_BASE_THROWN_H_
#define SERVER_BASE_THROWN_H_

#include <exception>
#include <new>
#include <utility>

#include "absl/status/status.h"
#include "server/base/error_reason.h"

namespace deberta::server {

// Of the exception that is handled now: ResourceExhausted where memory was not
// to be had, else Internal. To be called in a catch clause.
inline absl::Status StatusOfException() noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      return WithReason(absl::ResourceExhaustedError("out of memory"),
                        "OUT_OF_MEMORY");
    } catch (const std::exception& exception) {
      return absl::InternalError(exception.what());
    } catch (...) {
      return absl::InternalError("an unknown exception was thrown");
    }
  } catch (...) {
    // No memory for the words either: a code alone takes none.
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}

// What `work` returns, or the status of what it throws.
template <typename Work>
auto Guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (...) {
    return StatusOfException();
  }
}

}  // namespace deberta::server

#endif  // SERVER_BASE_THROWN_H_
