// What normalizers remove, by the tables of the `tokenizers` library: older
// than any utf8proc, and of two versions of Unicode.

#ifndef TOKENIZER_NORMALIZATION_MARK_TABLES_H_
#define TOKENIZER_NORMALIZATION_MARK_TABLES_H_

namespace deberta::tokenizer {

// Control, format and private use characters but for tab, newline and carriage
// return, as of Unicode 8.
bool IsBertControl(char32_t code_point);
// Category Mn as of Unicode 8.
bool IsNonspacingMark(char32_t code_point);
// Category M as of Unicode 9.
bool IsMark(char32_t code_point);

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_NORMALIZATION_MARK_TABLES_H_
