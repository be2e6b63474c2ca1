#include "tokenizer/segmentation/bpe_merges.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "absl/strings/str_cat.h"
#include "tokenizer/text/excerpt.h"

namespace deberta::tokenizer {
namespace {

// Up to here the quadratic merge is the faster one.
constexpr size_t kShortWord = 48;

constexpr BpeMerges::Rule kNoRule = {std::numeric_limits<int32_t>::max(), -1};

// The lower of the next of `sorted` and the top of `heap`, removed; at least
// one has something.
uint64_t TakeLowest(std::span<const uint64_t> sorted, size_t* taken,
                    std::vector<uint64_t>* heap) {
  const bool from_sorted = heap->empty() || (*taken < sorted.size() &&
                                             sorted[*taken] < heap->front());
  if (from_sorted) return sorted[(*taken)++];
  const uint64_t top = heap->front();
  std::pop_heap(heap->begin(), heap->end(), std::greater<>());
  heap->pop_back();
  return top;
}

}  // namespace

absl::Status BpeMerges::Add(
    std::span<const std::pair<std::string, std::string>> merges,
    size_t prefix_bytes, const Vocabulary& vocabulary) {
  if (merges.size() > std::numeric_limits<int32_t>::max() - 1) {
    return absl::InvalidArgumentError("merges: too many");
  }
  rules_.reserve(merges.size());
  std::string joined;
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto& [left, right] = merges[i];
    joined.assign(left).append(right, std::min(prefix_bytes, right.size()));
    const std::optional<int32_t> left_id = vocabulary.TokenToId(left);
    const std::optional<int32_t> right_id = vocabulary.TokenToId(right);
    const std::optional<int32_t> joined_id = vocabulary.TokenToId(joined);
    if (!left_id || !right_id || !joined_id) {
      const std::string& missing = !left_id ? left : !right_id ? right : joined;
      return absl::InvalidArgumentError(
          absl::StrCat("merges: number ", i, " (\"", Excerpt(left), "\" and \"",
                       Excerpt(right), "\"): \"", Excerpt(missing),
                       "\" is not in the vocabulary"));
    }
    Add(*left_id, *right_id, {static_cast<int32_t>(i), *joined_id});
  }
  return absl::OkStatus();
}

const BpeMerges::Rule* BpeMerges::FindRule(int32_t left, int32_t right) const {
  const auto found = rules_.find(PairKey(left, right));
  return found == rules_.end() ? &kNoRule : &found->second;
}

void BpeMerges::Merge(Workspace* workspace) const {
  if (workspace->symbols.size() <= kShortWord) {
    MergeShort(workspace);
  } else {
    MergeLong(workspace);
  }
}

void BpeMerges::MergeShort(Workspace* workspace) const {
  std::vector<Symbol>& symbols = workspace->symbols;
  std::vector<Rule>& rules = workspace->rules;
  rules.clear();
  for (size_t i = 1; i < symbols.size(); ++i) {
    rules.push_back(*FindRule(symbols[i - 1].id, symbols[i].id));
  }
  while (!rules.empty()) {
    const auto best = std::min_element(
        rules.begin(), rules.end(),
        [](const Rule& a, const Rule& b) { return a.rank < b.rank; });
    if (best->id < 0) return;
    const auto i = best - rules.begin();
    const auto left = symbols.begin() + i;
    left->id = best->id;
    left->bytes += (left + 1)->bytes;
    symbols.erase(left + 1);
    rules.erase(best);
    const auto index = static_cast<size_t>(i);
    if (index > 0) {
      rules[index - 1] = *FindRule(symbols[index - 1].id, symbols[index].id);
    }
    if (index < rules.size()) {
      rules[index] = *FindRule(symbols[index].id, symbols[index + 1].id);
    }
  }
}

// n log n: candidate pairs over a linked list of symbols, those of the bytes
// sorted once, those of merged symbols in a heap. The lowest rank comes first,
// then the leftmost pair. A candidate is out of date if its position has no
// pair of that rank any more; one that has is the next in order, whenever it
// came.
void BpeMerges::MergeLong(Workspace* workspace) const {
  std::vector<Symbol>& symbols = workspace->symbols;
  std::vector<Workspace::Link>& links = workspace->links;
  std::vector<uint64_t>& first = workspace->first;
  std::vector<uint64_t>& later = workspace->later;
  const auto count = static_cast<uint32_t>(symbols.size());
  const auto rule_at = [&](uint32_t left) {
    return FindRule(symbols[left].id, symbols[links[left].next].id);
  };
  const auto candidate = [](const Rule& rule, uint32_t position) {
    return uint64_t{static_cast<uint32_t>(rule.rank)} << 32 | position;
  };
  links.resize(count);
  first.clear();
  later.clear();
  for (uint32_t i = 0; i < count; ++i) {
    links[i] = {i == 0 ? Workspace::kNone : i - 1,
                i + 1 == count ? Workspace::kNone : i + 1};
    if (i + 1 == count) break;
    const Rule& rule = *rule_at(i);
    if (rule.id >= 0) first.push_back(candidate(rule, i));
  }
  std::sort(first.begin(), first.end());
  const auto push = [&](uint32_t left) {
    const Rule& rule = *rule_at(left);
    if (rule.id < 0) return;
    later.push_back(candidate(rule, left));
    std::push_heap(later.begin(), later.end(), std::greater<>());
  };
  for (size_t taken = 0; taken < first.size() || !later.empty();) {
    const uint64_t next_best = TakeLowest(first, &taken, &later);
    const auto position = static_cast<uint32_t>(next_best);
    Symbol& left = symbols[position];
    const uint32_t next = links[position].next;
    if (left.bytes == 0 || next == Workspace::kNone) continue;
    const Rule& rule = *rule_at(position);
    if (candidate(rule, position) != next_best) continue;
    left.id = rule.id;
    left.bytes += symbols[next].bytes;
    symbols[next].bytes = 0;  // marks it as merged
    const uint32_t after = links[next].next;
    links[position].next = after;
    if (after != Workspace::kNone) {
      links[after].previous = position;
      push(position);
    }
    const uint32_t before = links[position].previous;
    if (before != Workspace::kNone) push(before);
  }
  std::erase_if(symbols, [](const Symbol& s) { return s.bytes == 0; });
}

}  // namespace deberta::tokenizer
