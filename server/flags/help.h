// The text of --help.

#ifndef SERVER_FLAGS_HELP_H_
#define SERVER_FLAGS_HELP_H_

#include <string>

namespace deberta::server {

// Usage, and every flag with its default and its words, by group.
std::string HelpText();

}  // namespace deberta::server

#endif  // SERVER_FLAGS_HELP_H_
