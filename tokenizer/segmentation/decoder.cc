#include "tokenizer/segmentation/decoder.h"

#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tokenizer/pre_tokenization/byte_level.h"
#include "tokenizer/text/unicode.h"

namespace deberta::tokenizer {
namespace {

using Texts = std::vector<std::string>;

// The replacements of the library's WordPiece decoder, in order.
std::string CleanUp(std::string text) {
  static constexpr std::pair<const char*, const char*> kReplacements[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& replacement : kReplacements) {
    text = absl::StrReplaceAll(text, {replacement});
  }
  return text;
}

void Apply(const Decoder::WordPiece& step, Texts* texts) {
  for (size_t i = 0; i < texts->size(); ++i) {
    std::string& text = (*texts)[i];
    if (i > 0) {
      if (!step.prefix.empty() && text.starts_with(step.prefix)) {
        text.erase(0, step.prefix.size());
      } else {
        text.insert(text.begin(), ' ');
      }
    }
    if (step.cleanup) text = CleanUp(std::move(text));
  }
}

void Apply(const Decoder::BpeSuffix& step, Texts* texts) {
  for (size_t i = 0; i < texts->size(); ++i) {
    const char* with = i + 1 == texts->size() ? "" : " ";
    (*texts)[i] = absl::StrReplaceAll((*texts)[i], {{step.suffix, with}});
  }
}

void Apply(const Metaspace& step, Texts* texts) {
  std::string space;
  AppendUtf8(step.replacement, &space);
  const bool drops_first =
      step.prepend_scheme != Metaspace::PrependScheme::kNever;
  for (size_t i = 0; i < texts->size(); ++i) {
    const char* with = i == 0 && drops_first ? "" : " ";
    (*texts)[i] = absl::StrReplaceAll((*texts)[i], {{space, with}});
  }
}

void Join(Texts* texts) {
  if (texts->empty()) return;
  std::string all = absl::StrJoin(*texts, "");
  *texts = {std::move(all)};
}

void Apply(const Decoder::ByteLevel& /*step*/, Texts* texts) {
  std::string bytes;
  for (const std::string& text : *texts) {
    if (!AppendBytes(text, &bytes)) bytes.append(text);
  }
  *texts = {ReplaceInvalidUtf8(bytes)};
}

// The byte of "<0xNN>".
std::optional<char> ByteOf(std::string_view text) {
  constexpr size_t kLength = 6;
  if (text.size() != kLength || !text.starts_with("<0x") ||
      !text.ends_with('>')) {
    return std::nullopt;
  }
  unsigned value = 0;
  const char* begin = text.data() + 3;
  const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
  if (error != std::errc() || end != begin + 2) return std::nullopt;
  return static_cast<char>(value);
}

// A run of bytes that is no UTF-8 becomes a U+FFFD for each.
void Apply(const Decoder::ByteFallback& /*step*/, Texts* texts) {
  Texts out;
  std::string bytes;
  const auto flush = [&] {
    if (bytes.empty()) return;
    if (FindInvalidUtf8(bytes)) {
      out.insert(out.end(), bytes.size(), "\uFFFD");
    } else {
      out.push_back(bytes);
    }
    bytes.clear();
  };
  for (std::string& text : *texts) {
    if (const auto byte = ByteOf(text)) {
      bytes.push_back(*byte);
      continue;
    }
    flush();
    out.push_back(std::move(text));
  }
  flush();
  *texts = std::move(out);
}

void Apply(const Decoder::Fuse& /*step*/, Texts* texts) { Join(texts); }

void Apply(const Decoder::Replace& step, Texts* texts) {
  for (std::string& text : *texts) {
    text = absl::StrReplaceAll(text, {{step.pattern, step.content}});
  }
}

void Apply(const Decoder::Strip& step, Texts* texts) {
  for (std::string& text : *texts) {
    std::string_view rest = text;
    for (size_t i = 0; i < step.start && rest.starts_with(step.content); ++i) {
      rest.remove_prefix(step.content.size());
    }
    for (size_t i = 0; i < step.stop && rest.ends_with(step.content); ++i) {
      rest.remove_suffix(step.content.size());
    }
    text = std::string(rest);
  }
}

}  // namespace

std::string Decoder::Decode(std::span<const std::string_view> tokens) const {
  Texts texts(tokens.begin(), tokens.end());
  for (const Step& step : steps_) {
    std::visit([&](const auto& kind) { Apply(kind, &texts); }, step);
  }
  return absl::StrJoin(texts, steps_.empty() ? " " : "");
}

}  // namespace deberta::tokenizer
