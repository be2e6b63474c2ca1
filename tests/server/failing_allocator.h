// Replaces the allocator of a program by one that fails where FailsNow() says so.

#ifndef TESTS_SERVER_FAILING_ALLOCATOR_H_
#define TESTS_SERVER_FAILING_ALLOCATOR_H_

// Asked before each allocation, by any thread. The program defines it.
bool FailsNow();

#endif  // TESTS_SERVER_FAILING_ALLOCATOR_H_
