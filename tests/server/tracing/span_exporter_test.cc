#include "server/tracing/span_exporter.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace deberta::server {
namespace {

// A collector that can be held, and that fails where it is told to.
struct Collector {
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  bool failing = false;
  bool stopped = false;
  int sending = 0;
  std::vector<std::string> bodies;

  void WaitForBodies(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return bodies.size() >= count; });
  }
  void WaitUntilSending() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return sending > 0; });
  }
  void Set(bool Collector::*what, bool value) {
    const std::lock_guard lock(mutex);
    this->*what = value;
    changed.notify_all();
  }
};

class FakeSender final : public SpanSender {
 public:
  explicit FakeSender(Collector* collector) : collector_(*collector) {}

  absl::Status Send(const std::string& body) override {
    std::unique_lock lock(collector_.mutex);
    ++collector_.sending;
    collector_.changed.notify_all();
    collector_.changed.wait(
        lock, [&] { return !collector_.held || collector_.stopped; });
    if (collector_.held) return absl::UnavailableError("no answer");
    if (collector_.failing) return absl::UnavailableError("HTTP status 503");
    collector_.bodies.push_back(body);
    collector_.changed.notify_all();
    return absl::OkStatus();
  }
  void StopBy(absl::Time) override {
    collector_.Set(&Collector::stopped, true);
  }

 private:
  Collector& collector_;
};

std::vector<Span> Spans(size_t count) {
  return std::vector<Span>(
      count,
      Span{.trace_id = NewTraceId(), .span_id = NewSpanId(), .name = "part"});
}

size_t SpansIn(const std::string& body) {
  size_t count = 0;
  for (size_t at = 0; (at = body.find("\"spanId\"", at)) != std::string::npos;
       ++at)
    ++count;
  return count;
}

TEST(SpanExporterTest, AFullBatchLeavesAtOnceAndTheRestAtTheEnd) {
  Collector collector;
  {
    SpanExporter exporter(
        {.batch_spans = 4, .interval = absl::InfiniteDuration()},
        std::make_unique<FakeSender>(&collector));
    exporter.Add(Spans(3));
    exporter.Add(Spans(3));
    collector.WaitForBodies(1);
    EXPECT_EQ(SpansIn(collector.bodies[0]), 4u);
  }
  ASSERT_EQ(collector.bodies.size(), 2u);
  EXPECT_EQ(SpansIn(collector.bodies[1]), 2u);
}

TEST(SpanExporterTest, ALoneSpanLeavesAfterTheInterval) {
  Collector collector;
  SpanExporter exporter({.interval = absl::Milliseconds(1)},
                        std::make_unique<FakeSender>(&collector));
  exporter.Add(Spans(1));
  collector.WaitForBodies(1);
  EXPECT_EQ(SpansIn(collector.bodies[0]), 1u);
}

// The story of a collector that hangs: calls went on, and the end came.
TEST(SpanExporterTest, WhatFindsNoRoomIsDroppedWithoutWaiting) {
  Collector collector;
  collector.held = true;
  SpanExporter exporter({.buffer_spans = 8, .batch_spans = 4},
                        std::make_unique<FakeSender>(&collector));
  exporter.Add(Spans(4));
  collector.WaitUntilSending();
  exporter.Add(Spans(7));
  EXPECT_EQ(exporter.dropped(), 0u);
  exporter.Add(Spans(2));  // all of a call, or nothing of it
  EXPECT_EQ(exporter.dropped(), 2u);
  exporter.Add(Spans(1));
  exporter.Add(Spans(1));
  EXPECT_EQ(exporter.dropped(), 3u);
  EXPECT_EQ(exporter.exported(), 0u);
}

TEST(SpanExporterTest, WhatTheCollectorRefusesIsDroppedAndToldOnce) {
  Collector collector;
  collector.failing = true;
  std::vector<std::string> told;
  size_t exported = 0;
  {
    SpanExporter exporter({.batch_spans = 1,
                           .on_change =
                               [&](const absl::Status& status) {
                                 told.push_back(std::string(status.message()));
                                 collector.Set(&Collector::failing, false);
                               }},
                          std::make_unique<FakeSender>(&collector));
    exporter.Add(Spans(1));  // fails, and mends the collector
    exporter.Add(Spans(1));
    collector.WaitForBodies(1);
    while (exporter.exported() == 0) std::this_thread::yield();
    exported = exporter.exported();
    EXPECT_EQ(exporter.dropped(), 1u);
  }
  EXPECT_EQ(exported, 1u);
  EXPECT_EQ(told, (std::vector<std::string>{"HTTP status 503", ""}));
}

}  // namespace
}  // namespace deberta::server
