#!/usr/bin/env python3
"""Latency and throughput of the ways to share threads among batches.

Starts a deberta-server for each way, all with the same model, and lets callers
ask them in turn, some seconds each, so that a disturbance of the machine meets
all. Callers wait for each answer before they ask again; no two texts are equal.
Prints a Markdown table of medians over the rounds. Needs the packages of
tests/e2e/requirements.txt:

  tests/load/compare_threads.py --server build/release/deberta-server \\
      --model demo/section-classifier --callers 1 2 16
"""

import argparse
import importlib
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import grpc
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
WARM_UP_SECONDS = 1.0


def generated_messages(directory):
    """The Python module of the service's messages."""
    protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={directory}",
                 "deberta/v1/deberta.proto"])
    sys.path.insert(0, directory)
    return importlib.import_module("deberta.v1.deberta_pb2")


class Server:
    def __init__(self, name, command, pb):
        self.name = name
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE,
                                         text=True)
        port = None
        for line in self._process.stderr:
            entry = json.loads(line) if line.startswith("{") else {}
            port = entry.get("grpc_port", port)
            if entry.get("msg") == "serving":
                break
        if port is None:
            raise RuntimeError(f"{name}: the server did not start")
        threading.Thread(target=self._process.stderr.read,
                         daemon=True).start()
        self._address = f"127.0.0.1:{port}"
        self._pb = pb

    def ask(self, callers, words, seconds, seed):
        """(latencies in s, tokens answered) of so many callers."""
        latencies = []
        tokens = [0] * callers
        start = time.monotonic() + WARM_UP_SECONDS
        end = start + seconds

        def call_often(caller):
            rng = random.Random(f"{seed} {caller}")
            with grpc.insecure_channel(
                    self._address,
                    options=[("grpc.use_local_subchannel_pool", 1)]) as channel:
                classify = channel.unary_unary(
                    "/deberta.v1.DebertaService/Classify",
                    self._pb.ClassifyRequest.SerializeToString,
                    self._pb.ClassifyResponse.FromString)
                while time.monotonic() < end:
                    text = " ".join(
                        str(rng.randrange(10**4))
                        for _ in range(rng.randint(*words)))
                    request = self._pb.ClassifyRequest(
                        inputs=[self._pb.TextInput(text=text)])
                    asked = time.monotonic()
                    response = classify(request)
                    answered = time.monotonic()
                    if start <= answered <= end:
                        latencies.append(answered - asked)
                        tokens[caller] += (
                            response.results[0].coverage.tokens_used)

        threads = [threading.Thread(target=call_often, args=[caller])
                   for caller in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return latencies, sum(tokens)

    def stop(self):
        self._process.terminate()
        self._process.wait()


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--flags", nargs="*", default=[],
                        help="for every server, such as --precision=int8")
    parser.add_argument("--ways", nargs="+", default=["1x2", "2x1", "auto"],
                        help="WORKERSxTHREADS, or auto: by load")
    parser.add_argument("--callers", nargs="+", type=int, default=[1, 2, 16])
    parser.add_argument("--words", nargs=2, type=int, default=[8, 60])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        pb = generated_messages(directory)
        servers = []
        for way in arguments.ways:
            command = [arguments.server, f"--models={arguments.model}",
                       "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0",
                       *arguments.flags]
            if way != "auto":
                workers, threads = way.split("x")
                command += [f"--workers={workers}",
                            f"--threads_per_worker={threads}"]
            servers.append(Server(way, command, pb))
        rows = {}
        for seed in range(arguments.rounds):
            for callers in arguments.callers:
                for server in servers:
                    latencies, tokens = server.ask(
                        callers, arguments.words, arguments.seconds, seed)
                    if latencies:
                        rows.setdefault((callers, server.name), []).append(
                            (percentile(latencies, 0.1) * 1e3,
                             statistics.median(latencies) * 1e3,
                             percentile(latencies, 0.95) * 1e3,
                             tokens / arguments.seconds))
        for server in servers:
            server.stop()

    print("| callers | threads | p10 ms | median ms | p95 ms | tokens/s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for callers in arguments.callers:
        for way in arguments.ways:
            columns = [f"{statistics.median(column):.1f}"
                       for column in zip(*rows[callers, way])]
            print(f"| {callers} | {way} | {' | '.join(columns)} |")


if __name__ == "__main__":
    main()
