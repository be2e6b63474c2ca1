#include "server/batching/measure_cost.h"

#include <algorithm>
#include <array>
#include <future>
#include <optional>
#include <utility>
#include <vector>

namespace deberta::server {
namespace {

constexpr std::array<size_t, 3> kLengths = {8, 64, 256};
// The best of so many: what the system did meanwhile does not count.
constexpr int kRuns = 2;
// A longer length is left out if it would take longer, by the one before.
constexpr double kMostSeconds = 0.5;

std::optional<double> Run(Scheduler& scheduler, size_t queue, size_t tokens) {
  std::promise<absl::StatusOr<JobOutput>> answer;
  Job job;
  // Any token will do, and every vocabulary has a first.
  job.sequences.push_back({.ids = std::vector<int32_t>(tokens, 0),
                           .type_ids = std::vector<int32_t>(tokens, 0),
                           .rows = {0},
                           .readout = Readout::kHiddenStates});
  job.done = [&answer](absl::StatusOr<JobOutput> output) {
    answer.set_value(std::move(output));
  };
  if (!scheduler.Submit(queue, std::move(job)).ok()) return std::nullopt;
  const absl::StatusOr<JobOutput> output = answer.get_future().get();
  if (!output.ok()) return std::nullopt;
  return absl::ToDoubleSeconds(output->compute_time);
}

}  // namespace

CostModel MeasureCost(Scheduler& scheduler, size_t queue, size_t max_tokens) {
  std::vector<CostModel::Sample> samples;
  for (const size_t length : kLengths) {
    const size_t tokens = std::min(length, max_tokens);
    if (!samples.empty()) {
      const CostModel::Sample& last = samples.back();
      const double expected = last.seconds * static_cast<double>(tokens) /
                              static_cast<double>(last.tokens);
      if (tokens == last.tokens || expected > kMostSeconds) break;
    }
    std::optional<double> best;
    for (int run = 0; run < kRuns; ++run) {
      const std::optional<double> seconds = Run(scheduler, queue, tokens);
      if (!seconds.has_value()) return CostModel();
      best = std::min(best.value_or(*seconds), *seconds);
    }
    samples.push_back({.tokens = tokens, .seconds = *best});
  }
  return CostModel::Through(samples);
}

}  // namespace deberta::server
