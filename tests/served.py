"""A server for scripts that have nothing but Python: started, and waited for by its
log. The end-to-end tests, which ask it more, have e2e/server.py. And what waits for
other programs.
"""

import pathlib
import re
import socket
import subprocess
import sys
import time


def eventually(seconds, condition, message, pause=0.01):
    """Polls until `condition()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {message}")
        time.sleep(pause)


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Served:
    """Use as a context manager; ports of 0 in `flags` are told by port()."""

    def __init__(self, build, log, *flags, seconds=120):
        self.log = pathlib.Path(log)
        with open(self.log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen([build / "deberta-server", *flags],
                                            stdout=out, stderr=out)
        deadline = time.monotonic() + seconds
        while '"serving"' not in self.text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                sys.exit(f"the server does not serve:\n{self.text()}")
            time.sleep(0.05)

    def text(self):
        return self.log.read_text(encoding="utf-8")

    def port(self, name="grpc_port"):
        return int(re.search(rf'"{name}":(\d+)', self.text()).group(1))

    def stop(self):
        """The exit code."""
        self.process.terminate()
        return self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
