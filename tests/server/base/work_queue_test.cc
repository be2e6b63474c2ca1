#include "server/base/work_queue.h"

#include <future>
#include <string>

#include "gtest/gtest.h"

namespace deberta::server {
namespace {

// One caller with much to do does not hold up another.
TEST(WorkQueueTest, ServesCallersInTurn) {
  std::promise<void> started;
  std::promise<void> blocked;
  std::string order;  // written by the one thread
  {
    WorkQueue queue(1);
    queue.Add("a", [&] {
      started.set_value();
      blocked.get_future().wait();
    });
    started.get_future().wait();
    for (const char piece : {'1', '2', '3'})
      queue.Add("a", [&order, piece] { order += piece; });
    queue.Add("b", [&order] { order += 'b'; });
    queue.Add("c", [&order] { order += 'c'; });
    queue.Add("b", [&order] { order += 'B'; });
    blocked.set_value();
  }
  EXPECT_EQ(order, "1bc2B3");
}

}  // namespace
}  // namespace deberta::server
