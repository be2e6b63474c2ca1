// Aligned columns for people to read.

#ifndef TOOLS_TABLE_H_
#define TOOLS_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace deberta::tools {

struct Column {
  std::string title;
  bool right = false;  // numbers stand at the right
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as wide as `columns`
};

// Lines of equal column widths, each after `indent` and ended by '\n'. A cell's
// width is counted in code points; control characters in cells become spaces.
std::string FormatTable(const Table& table, std::string_view indent);

// The text without control characters, cut after `width` code points and ended
// by an ellipsis where it is longer.
std::string Shorten(std::string_view text, size_t width);

}  // namespace deberta::tools

#endif  // TOOLS_TABLE_H_
