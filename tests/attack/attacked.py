"""A server that is attacked: what it holds, and how it answers meanwhile."""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import threading

import deberta.v1.deberta_pb2 as pb
import environment
from server import Server, eventually, metric, stub

MIB = 1 << 20
MODEL = "section-classifier"
MOST_MIB = 256
MOST_HEALTH_MS = 100
HERE = pathlib.Path(__file__).resolve().parent

# Attackers do not share the server's processors elsewhere; here their thread
# gives way to it, and another one, which does not, starts processes.
launcher = concurrent.futures.ThreadPoolExecutor(1)
launcher.submit(os.getpid).result()


def classify(channel, **options):
    request = pb.ClassifyRequest(model=MODEL, inputs=[
        pb.TextInput(text="A chess engine with opening books.")])
    return stub(channel).Classify(request, timeout=30, **options)


class Attacked:
    """Use as a context manager; the attack is its body. At the end asserts
    what every attack must leave whole, and prints what it came to."""

    def __init__(self, name, *flags, probe=None, descriptors=None,
                 most_health_ms=MOST_HEALTH_MS, back=1.2, **options):
        self.name = name
        self.most_health_ms = most_health_ms
        self.back = back  # times idle, within 30 s
        binary = environment.server_binary()
        if descriptors:
            binary = environment.work / "few-descriptors"
            binary.write_text(f"#!/bin/sh\nulimit -n {descriptors}\n"
                              f"exec {environment.server_binary()} \"$@\"\n")
            binary.chmod(0o755)
        self.server = launcher.submit(
            Server, binary,
            {MODEL: environment.ROOT / "demo" / MODEL},
            environment.work / f"attack-{name}.log", *flags, **options).result()
        self.target = self.server.target
        self.probe_target = probe or self.target

    def __enter__(self):
        self.server.__enter__()
        with self.server.channel() as channel:
            for _ in range(20):
                classify(channel)
        self.idle = self._status("VmRSS")
        # The peak from now on.
        self._proc("clear_refs").write_text("5", encoding="ascii")
        self.before = self.server.metrics()
        self.probe = launcher.submit(
            subprocess.Popen,
            [sys.executable, str(HERE / "health_probe.py"), self.probe_target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True).result()
        self.probe.stdout.readline()
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 15)
        return self

    def __exit__(self, kind, *rest):
        try:
            times = sorted(map(float, self.probe.communicate()[0].split()))
            if kind is None:
                self._check(times)
        finally:
            self.server.__exit__(kind, *rest)

    def _check(self, times):
        peak = self._status("VmHWM") - self.idle
        p99 = times[len(times) * 99 // 100]
        with self.server.channel() as channel:
            classify(channel)
        print(f"{self.name}: idle {self.idle / MIB:.0f} MiB, at most "
              f"{peak / MIB:.0f} MiB above; health p99 {p99:.1f} ms of "
              f"{len(times)} checks", flush=True)
        if environment.sanitized():
            print("  under sanitizers: neither memory nor times are held")
            return
        assert peak < MOST_MIB * MIB, f"{peak / MIB:.0f} MiB above idle"
        # Of fewer than a hundred checks p99 would be the slowest, which may be
        # the machine's own doing: one may be slow.
        slow = sum(ms > self.most_health_ms for ms in times)
        assert slow <= max(1, len(times) // 100), \
            f"{slow} of {len(times)} health checks took more than " \
            f"{self.most_health_ms} ms"
        eventually(30, lambda: self._status("VmRSS") < self.back * self.idle,
                   f"memory is back near {self.idle / MIB:.0f} MiB")
        print(f"  left: {self._status('VmRSS') / MIB:.0f} MiB", flush=True)

    def counted(self, name, **labels):
        """How far a counter has come since the attack began."""
        return (metric(self.server.metrics(), name, **labels) -
                metric(self.before, name, **labels))

    def closed(self, reason):
        return self.counted("deberta_connections_closed_total", reason=reason)

    def expect_closed(self, reason, count):
        """A connection is counted once it is gone, which its client may know of
        a moment earlier."""
        eventually(20, lambda: self.closed(reason) == count,
                   f"{count} closed for {reason}")

    def limited(self, reason):
        return self.counted("deberta_calls_limited_total", reason=reason)

    def _proc(self, name):
        return pathlib.Path(f"/proc/{self.server.process.pid}/{name}")

    def _status(self, name):
        for line in self._proc("status").read_text(encoding="ascii").split("\n"):
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name}")
