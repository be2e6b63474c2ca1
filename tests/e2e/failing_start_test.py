"""Starts that fail: each ends soon, with one line that says why."""

import contextlib
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import environment
from server import dial
from start_test import (LIMIT_SECONDS, MODEL, NOWHERE, TRIES, TestInDirectory,
                        have_ipv6, limit, limit_descriptors)


class FailingStartTest(TestInDirectory):
    """It ends at once, with one line that says why."""

    def run_to_end(self, command, before, listening):
        """Exit code, output, and seconds from the start and the last line."""
        began = time.monotonic()
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=before) as process, \
                contextlib.ExitStack() as clients:
            output = ""
            for line in process.stdout:
                last = time.monotonic()
                output += line
                if listening and '"msg":"listening"' in line:
                    listening(clients)
            code = process.wait(60)
            ended = time.monotonic()
        return code, output, ended - began, ended - last

    def stopped(self, words, *flags, before=None, loads=False, listening=None):
        """`flags` go after those of a start that would succeed. Where a sound
        model `loads` first, the time counts from the error's line on."""
        command = [environment.server_binary(), f"--models={MODEL}",
                   f"--listen={NOWHERE}", f"--metrics_listen={NOWHERE}", *flags]
        seconds = []
        while len(seconds) < TRIES and min(seconds, default=9) > LIMIT_SECONDS:
            code, output, whole, end = self.run_to_end(command, before,
                                                       listening)
            seconds.append(end if loads else whole)
            self.assertEqual(code, 1, output)
            said = [line for line in output.splitlines()
                    if not re.search(r'"level":"info"', line)]
            self.assertEqual(len(said), 1, output)
            line = json.loads(said[0])
            self.assertEqual(line["level"], "error")
            self.assertIn(words, line["error"])
        self.assertLess(min(seconds), LIMIT_SECONDS, command)

    def test_flags(self):
        self.stopped("nonsense", "--nonsense=1")
        self.stopped("precision", "--precision=int4")
        self.stopped("max_queue_tokens", "--max_queue_tokens=many")
        self.stopped("drain_seconds", "--drain_seconds=-1")
        self.stopped("models", "--models=")
        self.stopped("unexpected argument", "stray")
        self.stopped("--listen and --metrics_listen must differ",
                     "--listen=127.0.0.1:5", "--metrics_listen=127.0.0.1:5")

    def test_addresses(self):
        for flag in ("listen", "metrics_listen"):
            for address, fault in (
                    ("nowhere", "there is no port"),
                    ("127.0.0.1:65536", "the port must be a number from 0 to "
                                        "65535"),
                    ("::1:9090", "an IPv6 address needs brackets"),
                    ("unix:relative", "the path must begin with /"),
                    ("unix:/" + "p" * 200, "the path has 201 bytes")):
                self.stopped(
                    f"--{flag}: expected HOST:PORT, [IPV6]:PORT or unix:/PATH,"
                    f' got "{address}": {fault}', f"--{flag}={address}")

    def test_directories(self):
        self.stopped("/nowhere", "--models=/nowhere")
        golden = environment.ROOT / "tests/golden/models/v3_classify"
        self.stopped("tokenizer", f"--models={golden}")
        self.stopped("/nowhere", f"--models={MODEL},/nowhere", loads=True)
        for name, text in (("config.json", "{"), ("tokenizer.json", "[1"),
                           ("model.safetensors", "none")):
            broken = self.directory / "broken"
            shutil.copytree(MODEL, broken)
            (broken / name).write_text(text, encoding="utf-8")
            self.stopped(name, f"--models={broken}")
            shutil.rmtree(broken)

    def cannot_bind(self, address, reason):
        for flag, what in (("listen", "listen"),
                           ("metrics_listen", "serve metrics")):
            self.stopped(f'cannot {what} on {address}: {reason}',
                         f"--{flag}={address}")

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.cannot_bind(address, 'Address already in use')
        if have_ipv6():
            with socket.create_server(("::1", 0),
                                      family=socket.AF_INET6) as taken:
                address = f"[::1]:{taken.getsockname()[1]}"
                self.cannot_bind(address, 'Address already in use')

    def test_address_of_nobody(self):
        # TEST-NET-1 and the documentation's prefix of IPv6.
        self.cannot_bind("192.0.2.1:0", "Cannot assign requested address")
        if have_ipv6():
            self.cannot_bind("[2001:db8::1]:0",
                             "Cannot assign requested address")
        self.cannot_bind("nowhere..invalid:0", "the host cannot be resolved: ")

    def test_port_without_the_right_to_it(self):
        try:
            socket.create_server(("127.0.0.1", 1)).close()
        except PermissionError:
            self.cannot_bind("127.0.0.1:1", 'Permission denied')
        else:
            self.skipTest("whoever runs this may bind port 1")

    def test_few_descriptors(self):
        for count in (5, 8, 10, 20, 63):
            self.stopped(f"Too many open files: expected a limit (ulimit -n) "
                         f"of at least 64, it is {count}",
                         before=limit_descriptors(count))

    def test_little_address_space(self):
        for megabytes in (250, 500):
            self.stopped("MiB of address space at least (ulimit -v)",
                         before=limit(resource.RLIMIT_AS, megabytes << 20))

    def test_unreadable_tokens(self):
        self.stopped("/nowhere: No such file", "--tokens_file=/nowhere")
        self.stopped("expected a regular file", "--tokens_file=/dev/zero")
        path = self.directory / "tokens"
        path.write_text('{"tokens": [{"name": "n", "sha256": "xyzzyplugh"}]}')
        self.stopped("tokens[0].sha256: expected", f"--tokens_file={path}")

    def test_nobody_reads_what_it_says(self):
        """A full pipe held the start up for ever, and a failing one too."""
        for flag, code in (("--models=/nowhere", 1), ("--nonsense", 1)):
            reader, writer = os.pipe()
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(writer, b"#" * 4096)
            os.set_blocking(writer, True)
            began = time.monotonic()
            with subprocess.Popen(
                    [environment.server_binary(), f"--listen={NOWHERE}",
                     f"--metrics_listen={NOWHERE}", flag],
                    stdin=subprocess.DEVNULL, stdout=writer,
                    stderr=writer) as process:
                self.assertEqual(process.wait(30), code)
            self.assertLess(time.monotonic() - began, 10)
            os.close(reader)
            os.close(writer)

    def test_closed_streams(self):
        for streams in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
            done = subprocess.run(
                ["sh", "-c", f'exec "$0" "$@" {streams}',
                 environment.server_binary(), "--models=/nowhere",
                 f"--listen={NOWHERE}", f"--metrics_listen={NOWHERE}"],
                capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(done.returncode, 1, streams)
            self.assertEqual("/nowhere" in done.stderr, "2>&-" not in streams)

    def test_unix_socket(self):
        self.cannot_bind(f"unix:{self.directory}/absent/socket",
                         'No such file or directory')
        (self.directory / "file").write_text("precious", encoding="utf-8")
        self.cannot_bind(f"unix:{self.directory}/file",
                         "Address already in use: the file there is no socket")
        self.assertEqual(self.files(), ["file"])

    def test_failure_removes_its_sockets(self):
        self.stopped("/nowhere", f"--models={MODEL},/nowhere",
                     f"--listen={self.unix}",
                     f"--metrics_listen={self.unix_metrics}", loads=True)
        self.assertEqual(self.files(), [])
        self.stopped("Address already in use",
                     f"--listen=unix:{self.directory}",
                     f"--metrics_listen={self.unix_metrics}")
        self.assertEqual(self.files(), [])

    def test_clients_do_not_hold_it_up(self):
        """Silent connections on both sides and an open stream of health."""
        def connect(clients):
            # Late, where the model loads fast; as well as any other try.
            with contextlib.suppress(OSError):
                for address in (self.unix, self.unix_metrics):
                    clients.enter_context(dial(address))
            channel = clients.enter_context(grpc.insecure_channel(self.unix))
            health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(), timeout=60)

        self.stopped("/nowhere", f"--models={MODEL},/nowhere",
                     f"--listen={self.unix}",
                     f"--metrics_listen={self.unix_metrics}", loads=True,
                     listening=connect)
        self.assertEqual(self.files(), [])
