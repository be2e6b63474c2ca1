#!/usr/bin/env python3
"""Writes the tables of tokenizer/text/words.cc, and what Python makes of them.

    make_word_tables.py

Python's \\w, of the Unicode that the running Python has, goes to
tokenizer/text/word_ranges.h; random strings with the words that GLiNER's pattern
finds go to tests/golden/words/gliner.json: a text, and starts and ends of its
words in code points. Needs Python 3.11 (Unicode 14), which gliner 0.2.29 was run
with, and no packages.
"""

import json
import pathlib
import re
import unicodedata

import random_words

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = ROOT / "tokenizer/text/word_ranges.h"
CASES = 400
SEED = 29


def ranges(pattern):
    """Of the code points beyond ASCII, first and last of each stretch."""
    found = []
    for code_point in range(0x80, 0x110000):
        if 0xD800 <= code_point < 0xE000 or not re.match(pattern, chr(code_point)):
            continue
        if found and found[-1][1] == code_point - 1:
            found[-1][1] = code_point
        else:
            found.append([code_point, code_point])
    return found


def array(name, members):
    cells = [f"{{0x{first:X}, 0x{last:X}}}," for first, last in members]
    lines, line = [], "   "
    for cell in cells:
        if len(line) + 1 + len(cell) > 80:
            lines.append(line)
            line = "   "
        line += " " + cell
    return "\n".join([f"inline constexpr CodePointRange {name}[] = {{", *lines,
                      line, "};"])


def write_header():
    version = unicodedata.unidata_version
    HEADER.write_text(f"""\
// Made by tests/golden/generators/make_word_tables.py from Unicode {version}.

#ifndef TOKENIZER_TEXT_WORD_RANGES_H_
#define TOKENIZER_TEXT_WORD_RANGES_H_

namespace deberta::tokenizer {{

struct CodePointRange {{
  char32_t first;
  char32_t last;
}};

// What Python's \\w matches beyond ASCII.
// clang-format off
{array("kWordCharacterRanges", ranges(chr(92) + "w"))}
// clang-format on

}}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_WORD_RANGES_H_
""")


def main():
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit(f"Unicode {unicodedata.unidata_version}, expected 14.0.0")
    write_header()
    cases = []
    for text in random_words.texts(SEED, CASES):
        found = list(random_words.GLINER.finditer(text))
        cases.append([text, [m.start() for m in found], [m.end() for m in found]])
    out = ROOT / "tests/golden/words/gliner.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
