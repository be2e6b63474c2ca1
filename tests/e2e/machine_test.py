"""Limits of memory and CPUs: read from cgroups, told, kept, and followed.

The cgroups are files made up for it, but for a quota of the kernel's own where
cgroups of version 1 may be written (as root).
"""

import contextlib
import json
import os
import pathlib
import shutil
import threading
import time
import unittest

import grpc

import deberta.v1.deberta_pb2 as pb
import environment
from errors import failure, failure_of
from server import Server, eventually, metric, run_to_exit, stub

MODEL = "section-classifier"
DIRECTORY = environment.ROOT / "demo" / MODEL
MIB = 1 << 20
CPU = pathlib.Path("/sys/fs/cgroup/cpu")
NOWHERE = "127.0.0.1:0"


def classify(channel, words=10, **options):
    return stub(channel).Classify(pb.ClassifyRequest(inputs=[
        pb.TextInput(text="A chess engine. " * (words // 3 + 1))]), **options)


class MachineTest(unittest.TestCase):
    def setUp(self):
        self.root = environment.work / "cgroups"
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()

    def write(self, name, text):
        # In place at once: the server reads at any time.
        part = self.root / (name + ".part")
        part.write_text(f"{text}\n", encoding="ascii")
        part.rename(self.root / name)

    def server(self, name, *flags):
        return Server(environment.server_binary(), {MODEL: DIRECTORY},
                      environment.work / f"machine-{name}.log",
                      f"--cgroup_root={self.root}", *flags)

    def line(self, server, message):
        for line in server.log().splitlines():
            if f'"msg":"{message}"' in line:
                return json.loads(line)
        return None

    def use(self, mib):
        self.write("memory.current", str(mib * MIB))

    def test_memory_is_planned_told_and_kept(self):
        self.write("memory.max", str(320 * MIB))
        self.write("memory.stat", "anon 0\nfile 0")
        self.use(100)
        with self.server("memory") as server, server.channel() as channel:
            plan = self.line(server, "memory ceiling")
            parts = sum(plan[part + "_bytes"] for part in (
                "loaded", "workspace", "connection", "transport", "request"))
            self.assertEqual(plan["ceiling_bytes"], parts)
            self.assertEqual(plan["limit_bytes"], 320 * MIB)
            self.assertLessEqual(parts + plan["reserve_bytes"], 320 * MIB)
            self.assertLess(plan["request_bytes"], 200 * MIB)
            now = server.metrics()
            for name, value in (("ceiling", parts), ("limit", 320 * MIB)):
                self.assertEqual(
                    metric(now, f"deberta_memory_{name}_bytes"), value)
            self.assertEqual(metric(now, "deberta_inflight_limit_bytes"),
                             plan["request_bytes"])
            classify(channel)

            self.use(310)
            eventually(10, lambda: metric(server.metrics(),
                                          "deberta_memory_short") == 1,
                       "memory is short")
            refused = failure_of(lambda: classify(channel, timeout=10))
            self.assertEqual((refused.code, refused.reason),
                             ("RESOURCE_EXHAUSTED", "MEMORY_FULL"))
            self.assertGreater(refused.retry_seconds, 0)
            self.assertEqual(metric(server.metrics(), "deberta_rejected_total",
                                    reason="memory_full"), 1)
            self.use(100)
            eventually(10, lambda: metric(server.metrics(),
                                          "deberta_memory_short") == 0,
                       "there is memory again")
            classify(channel)

    def test_what_does_not_fit_is_not_started(self):
        for limit, *flags in ((120,), (400, "--max_inflight_bytes=400000000")):
            self.write("memory.max", str(limit * MIB))
            code, output = run_to_exit(
                environment.server_binary(), f"--models={DIRECTORY}",
                f"--cgroup_root={self.root}", f"--listen={NOWHERE}",
                f"--metrics_listen={NOWHERE}", *flags)
            self.assertEqual(code, 1, output)
            error = json.loads(output.splitlines()[-1])
            self.assertEqual(error["msg"], "cannot start")
            for words in (f"limit is {limit * MIB} bytes", "--models",
                          "--max_connections", "--max_inflight_bytes"):
                self.assertIn(words, error["error"])

    def test_cpus_are_followed(self):
        self.write("cpu.max", "150000 100000")
        self.write("cpu.stat", "nr_periods 9\nnr_throttled 4\n"
                   "throttled_usec 2500000")
        cpus = min(1.5, len(os.sched_getaffinity(0)))
        with self.server("cpus") as server, server.channel() as channel:
            now = server.metrics()
            self.assertEqual(metric(now, "deberta_cpus"), cpus)
            self.assertEqual(metric(now, "deberta_compute_threads"),
                             2 if cpus > 1 else 1)
            self.assertEqual(
                metric(now, "deberta_cpu_throttled_seconds_total"), 2.5)
            self.assertEqual(
                metric(now, "deberta_cpu_throttled_periods_total"), 4)
            self.assertEqual(metric(now, "deberta_cpu_periods_total"), 9)
            for quota, threads in ((50000, 1), (100000, 1), (150000, 2)):
                if len(os.sched_getaffinity(0)) < threads:
                    continue
                self.write("cpu.max", f"{quota} 100000")
                eventually(10, lambda: metric(
                    server.metrics(), "deberta_cpus") == quota / 100000,
                    "the quota is seen")
                self.assertEqual(metric(
                    server.metrics(), "deberta_compute_threads"), threads)
                classify(channel, timeout=10)
            self.assertEqual(
                self.line(server, "usable CPUs changed")["cpus"], 0.5)


@contextlib.contextmanager
def kernel_quota(process, microseconds):
    """A cgroup of the kernel's for the process; gives a setter of its quota."""
    group = CPU / f"deberta-test-{process.pid}"
    group.mkdir()

    def set_quota(quota):
        (group / "cpu.cfs_quota_us").write_text(str(quota), encoding="ascii")

    try:
        set_quota(microseconds)
        (group / "cgroup.procs").write_text(str(process.pid), encoding="ascii")
        yield set_quota
    finally:
        process.kill()
        process.wait()
        eventually(10, lambda: not (group / "cgroup.procs").read_text(),
                   "the cgroup is empty")
        group.rmdir()


class Callers:
    """Ask one after another, each with a deadline; good answers are counted."""

    SECONDS = 1.0

    def __init__(self, server, count):
        self.codes = {}
        self.lock = threading.Lock()
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.run, args=[server])
                        for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self, server):
        with server.channel() as channel:
            while not self.stop.is_set():
                try:
                    classify(channel, 90, timeout=self.SECONDS)
                    code = "OK"
                except grpc.RpcError as error:
                    told = failure(error)
                    code = told.reason or told.code
                    # As it is told to, but not for ever.
                    self.stop.wait(min(told.retry_seconds or 0.05, 0.2))
                with self.lock:
                    self.codes[code] = self.codes.get(code, 0) + 1

    def during(self, seconds):
        """The codes of calls that end within so many seconds from now."""
        with self.lock:
            before = dict(self.codes)
        time.sleep(seconds)
        with self.lock:
            return {code: count - before.get(code, 0)
                    for code, count in self.codes.items()}

    def join(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


@unittest.skipUnless(
    os.access(CPU, os.W_OK) and (CPU / "cpu.cfs_quota_us").exists(),
    "no cgroup of version 1 may be made here")
class KernelQuotaTest(unittest.TestCase):
    SECONDS = 8
    CALLERS = 24

    def test_goodput_follows_a_quota_that_is_halved(self):
        with Server(environment.server_binary(), {MODEL: DIRECTORY},
                    environment.work / "machine-quota.log") as server, \
                kernel_quota(server.process, 100000) as set_quota:
            eventually(10, lambda: metric(server.metrics(),
                                          "deberta_cpus") == 1.0, "one CPU")
            callers = Callers(server, self.CALLERS)
            try:
                whole = callers.during(self.SECONDS)
                set_quota(50000)
                eventually(10, lambda: metric(
                    server.metrics(), "deberta_cpus") == 0.5, "half a CPU")
                half = callers.during(self.SECONDS)
                now = server.metrics()
            finally:
                callers.join()
            throttled = metric(now, "deberta_cpu_throttled_seconds_total")
            print(f"a CPU: {whole}; half of one: {half}; throttled for "
                  f"{throttled:.1f} s", flush=True)
            self.assertEqual(metric(now, "deberta_compute_threads"), 1)
            # Where others leave the machine to it, it is throttled too.
            self.assertGreater(metric(now, "deberta_cpu_periods_total"), 0)
            # As much as is left of the machine, and hardly a call is late.
            self.assertGreater(half["OK"], 0.3 * whole["OK"])
            self.assertLess(half.get("DEADLINE_EXCEEDED", 0),
                            0.2 * half["OK"])


if __name__ == "__main__":
    unittest.main()
