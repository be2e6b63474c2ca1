#include "tools/table.h"

#include <algorithm>
#include <cstddef>

namespace deberta::tools {
namespace {

bool StartsCodePoint(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

size_t CodePoints(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), StartsCodePoint));
}

// A terminal must not obey what a text holds.
std::string WithoutControls(std::string_view text) {
  std::string clean(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = ' ';
  }
  return clean;
}

void AppendCell(const std::string& cell, const Column& column, size_t width,
                bool last, std::string* line) {
  const size_t padding = width - CodePoints(cell);
  if (column.right) line->append(padding, ' ');
  line->append(cell);
  if (!column.right && !last) line->append(padding, ' ');
  if (!last) line->append("  ");
}

}  // namespace

std::string Shorten(std::string_view text, size_t width) {
  std::string clean = WithoutControls(text);
  if (CodePoints(clean) <= width) return clean;
  size_t kept = 0;
  size_t end = 0;
  while (end < clean.size()) {
    if (StartsCodePoint(clean[end]) && kept++ == width) break;
    ++end;
  }
  clean.resize(end);
  return clean + "…";
}

std::string FormatTable(const Table& table, std::string_view indent) {
  std::vector<std::vector<std::string>> lines;
  lines.emplace_back();
  for (const Column& column : table.columns) {
    lines.back().push_back(column.title);
  }
  for (const std::vector<std::string>& row : table.rows) {
    lines.emplace_back();
    for (const std::string& cell : row) {
      lines.back().push_back(WithoutControls(cell));
    }
  }
  std::vector<size_t> widths(table.columns.size(), 0);
  for (const std::vector<std::string>& line : lines) {
    for (size_t c = 0; c < widths.size(); ++c) {
      widths[c] = std::max(widths[c], CodePoints(line[c]));
    }
  }
  std::string text;
  for (const std::vector<std::string>& line : lines) {
    text.append(indent);
    for (size_t c = 0; c < widths.size(); ++c) {
      AppendCell(line[c], table.columns[c], widths[c], c + 1 == widths.size(),
                 &text);
    }
    text.push_back('\n');
  }
  return text;
}

}  // namespace deberta::tools
