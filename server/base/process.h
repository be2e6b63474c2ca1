// What a process checks and gives up at its start.

#ifndef SERVER_BASE_PROCESS_H_
#define SERVER_BASE_PROCESS_H_

#include <string_view>

#include "absl/status/status.h"

namespace deberta::server {

// Opens /dev/null in place of closed standard streams: else the next file that
// is opened would be one of them, and the log would go into it.
void OpenStandardStreams();

// Whether the limits leave room for `threads` threads with their stacks and
// the descriptors of a server. The libraries abort where they do not.
// ResourceExhausted names the limit.
absl::Status CheckLimits(int threads);

// From now on the process and what it starts gain no privileges, and leave no
// core dump, which would hold texts and tokens.
void GiveUpPrivileges();

// A library that aborts leaves a JSON line of why on stderr, as NoteForAbort()
// told it.
void SayWhyOnAbort();
// `why` is copied, and cut where it is long.
void NoteForAbort(std::string_view why);

}  // namespace deberta::server

#endif  // SERVER_BASE_PROCESS_H_
