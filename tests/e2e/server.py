"""A deberta-server process under test: start, talk, measure, stop."""

import http.client
import pathlib
import re
import signal
import socket
import subprocess
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import deberta.v1.deberta_pb2_grpc as deberta_grpc

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from served import eventually, free_ports  # noqa: E402

START_SECONDS = 120
STOP_SECONDS = 120
SERVICE = "deberta.v1.DebertaService"


def dial(address):
    """A plain connection to HOST:PORT, [IPV6]:PORT or unix:/PATH."""
    if address.startswith("unix:"):
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(address.removeprefix("unix:"))
        return connection
    host, _, port = address.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), timeout=10)


def http_get(address, path):
    """Status, headers and text."""
    connection = http.client.HTTPConnection("localhost")
    connection.sock = dial(address)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.headers, reply.read().decode()
    finally:
        connection.close()


def run_to_exit(binary, *flags, seconds=60):
    """The exit code and the output of a server that must not keep running."""
    done = subprocess.run([binary, *flags], capture_output=True, text=True,
                          timeout=seconds, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


class Server:
    """Use as a context manager; `models` maps names to directories."""

    def __init__(self, binary, models, log_path, *flags, listen=None,
                 metrics_listen=None):
        ports = free_ports(2)
        self.target = listen or f"127.0.0.1:{ports[0]}"
        self.metrics_address = metrics_listen or f"127.0.0.1:{ports[1]}"
        self.log_path = log_path
        served = ",".join(f"{name}={path}" for name, path in models.items())
        with open(log_path, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [binary, f"--models={served}", f"--listen={self.target}",
                 f"--metrics_listen={self.metrics_address}", *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        try:
            eventually(START_SECONDS, self._ready, "the server is healthy")
        except BaseException:
            self.process.kill()
            self.process.wait()
            print(self.log())
            raise
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _ready(self):
        if self.process.poll() is not None:
            raise AssertionError(
                f"the server exited with {self.process.returncode}")
        with self.channel() as channel:
            try:
                reply = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(), timeout=5)
            except grpc.RpcError:
                return False
            return reply.status == health_pb2.HealthCheckResponse.SERVING

    def channel(self):
        """A connection of its own."""
        return grpc.insecure_channel(self.target, options=[
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.max_receive_message_length", -1)])

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self):
        return self.process.wait(STOP_SECONDS)

    def log(self):
        return self.log_path.read_text(encoding="utf-8")

    def metrics_text(self):
        return http_get(self.metrics_address, "/metrics")[2]

    def metrics(self):
        return parse_metrics(self.metrics_text())


def stub(channel):
    return deberta_grpc.DebertaServiceStub(channel)


def parse_metrics(text):
    """{(name, frozenset of (label, value))): number}."""
    values = {}
    for line in text.splitlines():
        match = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line)
        if match:
            labels = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "")
            values[match[1], frozenset(labels)] = float(match[3])
    return values


def metric(values, name, **labels):
    """The sum of the series of `name` that have these labels."""
    wanted = set(labels.items())
    found = [value for (series, have), value in values.items()
             if series == name and wanted <= have]
    if not found:
        raise AssertionError(f"no series {name}{labels}")
    return sum(found)
