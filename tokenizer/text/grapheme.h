// Extended grapheme clusters (Unicode Standard Annex 29), as of Unicode 16.0:
// the version that the reference's normaliser has. The tables are our own
// because the distributions' utf8proc are older and differ from each other.

#ifndef TOKENIZER_TEXT_GRAPHEME_H_
#define TOKENIZER_TEXT_GRAPHEME_H_

#include <cstdint>

namespace deberta::tokenizer {

// Property Grapheme_Cluster_Break; kConsonant is Indic_Conjunct_Break=Consonant
// and kPictographic is Extended_Pictographic, both `Other` there.
enum class GraphemeClass : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,
  kZwj,
  kPictographic,
  kConsonant,
  kPrepend,
  kRegional,
  kSpacingMark,
  kL,
  kV,
  kT,
  kLv,
  kLvt,
};

GraphemeClass GraphemeClassOf(char32_t code_point);

// Reads a text code point by code point and finds where clusters start.
class GraphemeScanner {
 public:
  // True if a cluster starts at `code_point`, which follows those of the
  // earlier calls.
  bool StartsCluster(char32_t code_point);

 private:
  // Progress through the left side of rule GB9c or GB11.
  enum class Progress : uint8_t { kNone, kBase, kReady };

  bool Joins(GraphemeClass next) const;
  void Advance(char32_t code_point, GraphemeClass next);

  bool at_start_ = true;
  GraphemeClass last_ = GraphemeClass::kOther;
  Progress conjunct_ = Progress::kNone;  // consonant, then a linker
  Progress emoji_ = Progress::kNone;     // pictographic, then a joiner
  bool odd_regional_ = false;            // an odd run of regional indicators
};

}  // namespace deberta::tokenizer

#endif  // TOKENIZER_TEXT_GRAPHEME_H_
