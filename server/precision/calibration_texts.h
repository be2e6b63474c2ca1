// The texts that precisions are compared on where a model's deberta.json brings
// none: short and long, in a dozen languages, and what is no prose at all:
// code, logs, numbers, addresses, attempts to talk a model out of its task.
//
// Written for this purpose; the people, numbers and addresses are made up.

#ifndef SERVER_PRECISION_CALIBRATION_TEXTS_H_
#define SERVER_PRECISION_CALIBRATION_TEXTS_H_

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace deberta::server {

std::span<const std::string_view> BuiltInTexts();
std::span<const std::string_view> BuiltInQuestions();

// Cuts before the first space of the second half, else at the first character
// of it. Neither half of a text of two characters or more is empty.
std::pair<std::string, std::string> Halves(std::string_view text);

}  // namespace deberta::server

#endif  // SERVER_PRECISION_CALIBRATION_TEXTS_H_
