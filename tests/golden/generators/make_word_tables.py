#!/usr/bin/env python3
"""Writes the tables of tokenizer/text/words.cc and lower_case.cc, and what Python
makes of them.

    make_word_tables.py

Python's \\w and the marks, of the Unicode that the running Python has, go to
tokenizer/text/word_ranges.h, what str.lower() does to
tokenizer/text/lower_case_table.h; random strings with the words that the patterns
of GLiNER and GLiNER2 find go to tests/golden/words/{gliner,gliner2}.json: a text,
starts and ends of its words in code points, and of GLiNER2 the words in lower
case. Needs Python 3.11 (Unicode 14), which the packages were run with, and none
of them.
"""

import json
import pathlib
import re
import unicodedata

import random_words

ROOT = pathlib.Path(__file__).resolve().parents[3]
HEADER = ROOT / "tokenizer/text/word_ranges.h"
LOWER = ROOT / "tokenizer/text/lower_case_table.h"
CASES = 400
SEED = 29


def ranges(matches, first=0x80):
    """Of the code points from `first` on, first and last of each stretch."""
    found = []
    for code_point in range(first, 0x110000):
        if 0xD800 <= code_point < 0xE000 or not matches(chr(code_point)):
            continue
        if found and found[-1][1] == code_point - 1:
            found[-1][1] = code_point
        else:
            found.append([code_point, code_point])
    return found


def array(name, members, kind="CodePointRange"):
    cells = ["{" + ", ".join(n if isinstance(n, str) else f"0x{n:X}"
                             for n in member) + "}," for member in members]
    lines, line = [], "   "
    for cell in cells:
        if len(line) + 1 + len(cell) > 80:
            lines.append(line)
            line = "   "
        line += " " + cell
    return "\n".join([f"inline constexpr {kind} {name}[] = {{", *lines,
                      line, "};"])


def write_header():
    version = unicodedata.unidata_version
    HEADER.write_text(f"""\
// Made by tests/golden/generators/make_word_tables.py from Unicode {version}.

#ifndef TOKENIZER_TEXT_WORD_RANGES_H_
#define TOKENIZER_TEXT_WORD_RANGES_H_

#include "tokenizer/text/code_point_ranges.h"

namespace deberta::tokenizer {{

// What Python's \\w matches beyond ASCII.
// clang-format off
{array("kWordCharacterRanges", ranges(lambda c: re.match(chr(92) + "w", c)))}
// clang-format on

// Marks (general category M).
// clang-format off
{array("kMarkRanges", ranges(lambda c: unicodedata.category(c)[0] == "M"))}
// clang-format on

}}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_WORD_RANGES_H_
""")


def lowered():
    """Stretches of every or every other code point whose lower case is as far."""
    found = []
    for code_point in range(0x80, 0x110000):
        if 0xD800 <= code_point < 0xE000 or code_point == 0x130:
            continue
        lower = chr(code_point).lower()
        if lower == chr(code_point):
            continue
        assert len(lower) == 1
        by = ord(lower) - code_point
        if found and found[-1][3] == by:
            step = code_point - found[-1][1]
            alone = found[-1][0] == found[-1][1]
            if step <= 2 and (alone or step == found[-1][2]):
                found[-1][1:3] = [code_point, step]
                continue
        found.append([code_point, code_point, 1, by])
    return [[first, last, str(step), str(by)] for first, last, step, by in found]


def is_cased(character):
    """As the rule of the final sigma has it; ignorable ones aside."""
    return (character + "\u03a3").lower().endswith("\u03c2")


def is_ignorable(character):
    return not is_cased(character) and (
        "A" + character + "\u03a3").lower().endswith("\u03c2")


def write_lower_case():
    version = unicodedata.unidata_version
    LOWER.write_text(f"""\
// Made by tests/golden/generators/make_word_tables.py from Unicode {version}.

#ifndef TOKENIZER_TEXT_LOWER_CASE_TABLE_H_
#define TOKENIZER_TEXT_LOWER_CASE_TABLE_H_

#include <cstdint>

#include "tokenizer/text/code_point_ranges.h"

namespace deberta::tokenizer {{

// Of every `step`th code point from `first` to `last` the lower case is `by`
// further. Without ASCII and U+0130, whose lower case is two code points.
struct LowerCaseRange {{
  char32_t first;
  char32_t last;
  char32_t step;
  int32_t by;
}};
// clang-format off
{array("kLowerCaseRanges", lowered(), "LowerCaseRange")}
// clang-format on

// Cased, and not ignorable.
// clang-format off
{array("kCasedRanges", ranges(is_cased, 0))}
// clang-format on

// Ignorable where letters before and after a sigma are looked for.
// clang-format off
{array("kCaseIgnorableRanges", ranges(is_ignorable, 0))}
// clang-format on

}}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_LOWER_CASE_TABLE_H_
""")


def write_cases(name, pattern, texts, lower):
    cases = []
    for text in texts:
        found = list(pattern.finditer(text))
        case = [text, [m.start() for m in found], [m.end() for m in found]]
        cases.append([*case, [m.group().lower() for m in found]] if lower else case)
    out = ROOT / f"tests/golden/words/{name}.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


def main():
    if unicodedata.unidata_version != "14.0.0":
        raise SystemExit(f"Unicode {unicodedata.unidata_version}, expected 14.0.0")
    write_header()
    write_lower_case()
    write_cases("gliner", random_words.GLINER,
                random_words.texts(SEED, CASES), lower=False)
    write_cases("gliner2", random_words.GLINER2,
                random_words.texts(SEED + 1, CASES,
                                   random_words.FIXED + random_words.FIXED2),
                lower=True)


if __name__ == "__main__":
    main()
