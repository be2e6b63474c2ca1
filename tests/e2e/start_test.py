"""Where the server listens, and how fast it ends."""

import contextlib
import json
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import deberta.v1.deberta_pb2 as pb
import environment
from server import (Server, dial, eventually, free_ports, http_get,
                    run_to_exit, stub)
from texts import GAME

LIMIT_SECONDS = 1.0
# What is to be found is a wait, which each try has; a busy machine is not that
# slow every time.
TRIES = 4
MODEL = environment.ROOT / "demo/section-classifier"
NOWHERE = "127.0.0.1:0"


def have_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def limit(of, count):
    return lambda: resource.setrlimit(of, (count, count))


def limit_descriptors(count):
    return limit(resource.RLIMIT_NOFILE, count)


class TestInDirectory(unittest.TestCase):
    """With a short path, as those of sockets must be."""

    def setUp(self):
        self.directory = pathlib.Path(
            self.enterContext(tempfile.TemporaryDirectory(prefix="deberta")))
        self.unix = f"unix:{self.directory}/grpc"
        self.unix_metrics = f"unix:{self.directory}/metrics"

    def files(self):
        return sorted(path.name for path in self.directory.iterdir())

    def server(self, **addresses):
        return Server(environment.server_binary(), {MODEL.name: MODEL},
                      environment.work / "start.log", **addresses)


class AddressTest(TestInDirectory):
    def answers(self, *targets):
        for target in targets:
            with grpc.insecure_channel(target) as channel:
                reply = stub(channel).Classify(pb.ClassifyRequest(
                    inputs=[pb.TextInput(text=GAME)]), timeout=60)
                self.assertEqual(len(reply.results), 1, target)
            done = subprocess.run(
                [environment.client_binary(), f"--server={target}", "models"],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(MODEL.name, done.stdout)

    def scrapes(self, *addresses):
        for address in addresses:
            status, headers, text = http_get(address, "/metrics")
            self.assertEqual(status, 200, address)
            self.assertEqual(headers["Content-Type"],
                             "text/plain; version=0.0.4; charset=utf-8")
            self.assertIn("\ndeberta_build_info{", text)
            status, _, page = http_get(address, "/")
            self.assertEqual(status, 200)
            self.assertIn("<title>deberta-server</title>", page)
            self.assertEqual(http_get(address, "/another")[0], 404)

    def ends(self, server):
        server.terminate()
        self.assertEqual(server.exit_code(), 0, server.log())

    def test_loopback_of_ipv6(self):
        if not have_ipv6():
            self.skipTest("no IPv6 here")
        grpc_port, metrics_port = free_ports(2)
        addresses = {"listen": f"[::1]:{grpc_port}",
                     "metrics_listen": f"[::1]:{metrics_port}"}
        with self.server(**addresses) as server:
            self.answers(addresses["listen"])
            self.scrapes(addresses["metrics_listen"])
            self.ends(server)

    def test_every_interface(self):
        if not have_ipv6():
            self.skipTest("no IPv6 here")
        grpc_port, metrics_port = free_ports(2)
        with self.server(listen=f"[::]:{grpc_port}",
                         metrics_listen=f"[::]:{metrics_port}") as server:
            self.answers(f"[::1]:{grpc_port}", f"127.0.0.1:{grpc_port}")
            self.scrapes(f"[::1]:{metrics_port}", f"127.0.0.1:{metrics_port}")
            self.ends(server)

    def test_names(self):
        grpc_port, metrics_port = free_ports(2)
        with self.server(listen=f"localhost:{grpc_port}",
                         metrics_listen=f"localhost:{metrics_port}") as server:
            self.answers(f"127.0.0.1:{grpc_port}")
            self.scrapes(f"127.0.0.1:{metrics_port}")
            self.ends(server)

    def test_unix_sockets(self):
        with self.server(listen=self.unix,
                         metrics_listen=self.unix_metrics) as server:
            self.assertEqual(self.files(), ["grpc", "metrics"])
            self.answers(self.unix)
            self.scrapes(self.unix_metrics)
            self.ends(server)
        self.assertEqual(self.files(), [])

    def test_sockets_of_a_killed_server_are_replaced(self):
        addresses = {"listen": self.unix, "metrics_listen": self.unix_metrics}
        with self.server(**addresses) as server:
            server.process.kill()
            server.process.wait()
        self.assertEqual(self.files(), ["grpc", "metrics"])
        with self.server(**addresses) as server:
            self.answers(self.unix)
            self.scrapes(self.unix_metrics)

    def test_sockets_of_a_living_server_stay(self):
        with self.server(listen=self.unix,
                         metrics_listen=self.unix_metrics) as server:
            for flags in ((f"--listen={self.unix}",
                           f"--metrics_listen={NOWHERE}"),
                          (f"--listen={NOWHERE}",
                           f"--metrics_listen={self.unix_metrics}"),
                          (f"--listen={self.unix_metrics}",
                           f"--metrics_listen={self.unix}")):
                code, output = run_to_exit(environment.server_binary(),
                                           f"--models={MODEL}", *flags)
                self.assertEqual(code, 1, output)
                self.assertIn("Address already in use: a process listens "
                              "there", output)
            self.answers(self.unix)
            self.scrapes(self.unix_metrics)
            self.ends(server)

    def test_port_0_is_told(self):
        # Two models, so that there is time to end it while it loads.
        log = self.directory / "log"
        with open(log, "w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                [environment.server_binary(), f"--models={MODEL},again={MODEL}",
                 f"--listen={self.unix}", f"--metrics_listen={NOWHERE}"],
                stderr=stream, stdin=subprocess.DEVNULL)
        try:
            eventually(60, lambda: '"listening"' in log.read_text(),
                       "it listens")
            said = json.loads(log.read_text().splitlines()[0])
            self.assertEqual(said["grpc"], self.unix)
            self.assertEqual(said["metrics"],
                             f"127.0.0.1:{said['metrics_port']}")
            self.scrapes(said["metrics"])
            self.assertIn("grpc", self.files())
            # Whether it still loads or serves already.
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0, log.read_text())
            self.assertEqual(self.files(), ["log"])
        finally:
            process.kill()
            process.wait()


class StopTest(TestInDirectory):
    def test_silent_clients_do_not_hold_it_up(self):
        # What is on its way, the farewell and the grace of main.cc: 0.9 s.
        limit = 0.9 + LIMIT_SECONDS
        seconds = []
        while len(seconds) < TRIES and min(seconds, default=9) > limit:
            with self.server() as server, contextlib.ExitStack() as stack:
                for address in (server.target, server.metrics_address):
                    stack.enter_context(dial(address))
                channel = stack.enter_context(server.channel())
                updates = health_pb2_grpc.HealthStub(channel).Watch(
                    health_pb2.HealthCheckRequest(), timeout=60)
                next(updates)
                server.terminate()
                began = time.monotonic()
                self.assertEqual(server.exit_code(), 0, server.log())
                seconds.append(time.monotonic() - began)
        self.assertLess(min(seconds), limit)

    def test_second_signal_leaves_no_sockets(self):
        with self.server(listen=self.unix,
                         metrics_listen=self.unix_metrics) as server:
            server.terminate()
            eventually(60, lambda: '"shutting down"' in server.log(),
                       "the first is received")
            server.process.send_signal(signal.SIGINT)
            # 0 where it was already gone.
            self.assertIn(server.exit_code(), (0, 1), server.log())
        self.assertEqual(self.files(), [])
