"""Where things are, set once by end_to_end_test.py."""

import functools
import pathlib
import platform
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
build = ROOT / "build/release"
work = ROOT / "build/e2e"


def server_binary():
    return str(build / "deberta-server")


@functools.cache
def sanitized():
    """Whether sanitizers watch the server. They end it when they find something;
    what it takes of time and memory says nothing then."""
    return b"__asan_init" in pathlib.Path(server_binary()).read_bytes()


def client_binary():
    return str(build / "deberta-client")


def run_client(server, *arguments, stdin=""):
    return subprocess.run(
        [client_binary(), f"--server={server.target}", *arguments],
        input=stdin, capture_output=True, text=True, timeout=120, check=False)


def tolerance():
    """Of a batched answer against the answer given alone: on AVX-512 the rows
    of a matrix product do not depend on their number, elsewhere on the
    summation order."""
    if platform.machine() == "x86_64":
        cpu = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        if "avx512f" in cpu:
            return 0.0
    return 1e-5
