#include "server/tasks/tag_windows.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tokenizer/encoding/truncation.h"

namespace deberta::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Labels(const std::vector<TaggedSpan>& spans) {
  std::vector<std::string> labels;
  for (const TaggedSpan& span : spans) labels.push_back(span.label);
  return labels;
}

std::vector<std::string> Merged(std::vector<TaggedSpan> spans) {
  return Labels(SpanMerger().Add(std::move(spans), std::nullopt));
}

TEST(SpanMergerTest, LongerWinsThenLikelier) {
  EXPECT_THAT(Merged({{"a", .5f, {0, 4}}, {"b", .4f, {2, 8}}}),
              ElementsAre("b"));
  EXPECT_THAT(Merged({{"a", .5f, {0, 4}}, {"b", .6f, {0, 4}}}),
              ElementsAre("b"));
  EXPECT_THAT(Merged({{"a", .5f, {0, 4}}, {"b", .5f, {0, 4}}}),
              ElementsAre("a"));
  EXPECT_THAT(Merged({{"a", .5f, {0, 4}}, {"b", .9f, {1, 3}}}),
              ElementsAre("a"));
}

TEST(SpanMergerTest, KeepsNeighboursInOrderOfStart) {
  EXPECT_THAT(Merged({{"c", 1, {9, 12}}, {"a", 1, {0, 4}}, {"b", 1, {4, 9}}}),
              ElementsAre("a", "b", "c"));
}

// The reference repeats an empty first span.
TEST(SpanMergerTest, KeepsEmptySpanOnce) {
  EXPECT_THAT(Merged({{"a", 1, {0, 0}}, {"b", 1, {3, 4}}}),
              ElementsAre("a", "b"));
  EXPECT_THAT(Merged({}), IsEmpty());
}

TEST(SpanMergerTest, GivesBackWhatNoLaterWindowChanges) {
  SpanMerger merger;
  EXPECT_THAT(Labels(merger.Add(
                  {{"a", 1, {0, 4}}, {"b", 1, {4, 6}}, {"c", 1, {8, 9}}}, 7)),
              ElementsAre("a"));
  EXPECT_THAT(Labels(merger.Add({{"d", 1, {8, 11}}}, std::nullopt)),
              ElementsAre("b", "d"));
}

// aggregate_overlapping_entities of the reference, over all spans at once.
std::vector<TaggedSpan> MergeAll(std::vector<TaggedSpan> spans) {
  const auto length = [](const TaggedSpan& s) {
    return static_cast<int64_t>(s.span.end) -
           static_cast<int64_t>(s.span.start);
  };
  std::stable_sort(spans.begin(), spans.end(),
                   [](const TaggedSpan& a, const TaggedSpan& b) {
                     return a.span.start < b.span.start;
                   });
  std::vector<TaggedSpan> merged;
  for (const TaggedSpan& span : spans) {
    if (merged.empty() || span.span.start >= merged.back().span.end) {
      merged.push_back(span);
    } else if (length(span) > length(merged.back()) ||
               (length(span) == length(merged.back()) &&
                span.score > merged.back().score)) {
      merged.back() = span;
    }
  }
  return merged;
}

TEST(SpanMergerTest, WindowByWindowEqualsAllAtOnce) {
  std::mt19937 engine(1);
  const auto below = [&](uint32_t limit) {
    return static_cast<uint32_t>(engine() % limit);
  };
  for (int round = 0; round < 2000; ++round) {
    const bool later_first = round % 2 == 1;
    const uint32_t step = 1 + below(6);
    SpanMerger merger(later_first);
    std::vector<TaggedSpan> all;
    std::vector<std::string> merged;
    const uint32_t windows = 1 + below(6);
    for (uint32_t w = 0; w < windows; ++w) {
      std::vector<TaggedSpan> window;
      for (size_t i = below(5); i > 0; --i) {
        // Spans may begin anywhere from the window's start on, and be empty.
        const uint32_t start = w * step + below(12);
        window.push_back({std::to_string(engine()),
                          static_cast<float>(below(3)),
                          {start, start + below(5)}});
      }
      all.insert(later_first ? all.begin() : all.end(), window.begin(),
                 window.end());
      for (const std::string& label : Labels(merger.Add(
               window, w + 1 < windows ? std::optional((w + 1) * step)
                                       : std::nullopt))) {
        merged.push_back(label);
      }
    }
    ASSERT_EQ(merged, Labels(MergeAll(all))) << round;
  }
}

// Every token of every window at once: the nearest to no edge, the earlier of
// equals.
TEST(CentralTagsTest, WindowByWindowEqualsAllAtOnce) {
  for (const tokenizer::Side side :
       {tokenizer::Side::kRight, tokenizer::Side::kLeft}) {
    for (size_t length = 0; length < 30; ++length) {
      for (size_t room = 1; room < 8; ++room) {
        for (size_t overlap = 0; overlap < room; ++overlap) {
          const tokenizer::Windows windows = {length, room, overlap, side};
          CentralTags central;
          std::vector<std::string> got;
          std::vector<std::pair<size_t, std::string>> best(length, {0, ""});
          for (size_t w = 0; w < windows.count(); ++w) {
            const auto [begin, end] = windows.at(w);
            std::vector<TaggedSpan> spans(end - begin,
                                          {.label = std::to_string(w)});
            for (size_t i = begin; i < end; ++i) {
              const size_t distance = std::min(i - begin, end - 1 - i) + 1;
              if (distance > best[i].first)
                best[i] = {distance, spans[0].label};
            }
            std::optional<size_t> next;
            if (w + 1 < windows.count()) next = windows.at(w + 1).first;
            for (const std::string& label :
                 Labels(central.Add(std::move(spans), begin, next))) {
              got.push_back(label);
            }
          }
          std::vector<std::string> expected;
          for (const auto& [distance, label] : best) expected.push_back(label);
          ASSERT_EQ(got, expected) << length << " " << room << " " << overlap;
        }
      }
    }
  }
}

}  // namespace
}  // namespace deberta::server
