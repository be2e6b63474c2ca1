#!/usr/bin/env python3
"""Writes tokenizer/text/script_ranges.h: the pre-tokenizer UnicodeScripts' classes.

    make_script_table.py

Two code points are of one class if the pre-tokenizer leaves them together; class
0 goes with any. Needs tokenizers; 0.22.2 and 0.23.3 give the same table.
"""

import pathlib

from tokenizers import pre_tokenizers

HEADER = (pathlib.Path(__file__).resolve().parents[3]
          / "tokenizer/text/script_ranges.h")
SCRIPTS = pre_tokenizers.UnicodeScripts()


def starts():
    """[first code point, class] wherever the class changes."""
    members, found, last = [], [], None
    for code_point in range(0x110000):
        if 0xD800 <= code_point < 0xE000:
            continue
        character = chr(code_point)
        number = 0
        if SCRIPTS.pre_tokenize_str(character):
            likely = [last] if last else []
            likely += [n for n in range(1, len(members) + 1) if n != last]
            number = next((n for n in likely if len(SCRIPTS.pre_tokenize_str(
                members[n - 1] + character)) == 1), len(members) + 1)
            if number > len(members):
                members.append(character)
        if number != last:
            found.append((code_point, number))
        last = number
    return found


def main():
    lines, line = [], "   "
    for first, number in starts():
        cell = f" {{0x{first:X}, {number}}},"
        if len(line + cell) > 80:
            lines.append(line)
            line = "   "
        line += cell
    cells = "\n".join([*lines, line])
    HEADER.write_text(f"""\
// Made by tests/golden/generators/make_script_table.py; of any length, as it is
// a table.

#ifndef TOKENIZER_TEXT_SCRIPT_RANGES_H_
#define TOKENIZER_TEXT_SCRIPT_RANGES_H_

#include <cstdint>

namespace deberta::tokenizer {{

struct ScriptStart {{
  char32_t first;
  uint8_t script;  // of all code points from here to the next start
}};

// clang-format off
inline constexpr ScriptStart kScriptStarts[] = {{
{cells}
}};
// clang-format on

}}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_SCRIPT_RANGES_H_
""")


if __name__ == "__main__":
    main()
