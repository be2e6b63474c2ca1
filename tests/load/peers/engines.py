"""Starts the engines, each in a process pinned to its own number of CPUs.

An engine stays loaded while its model is measured, so that engines can take
turns. All speak lines: a shape goes in, a JSON object comes out.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

from . import exports, shapes

HERE = pathlib.Path(__file__).resolve().parent
OURS = "deberta-serve"
TITLES = {OURS: "deberta-serve", "torch": "PyTorch",
          "onnxruntime": "ONNX Runtime", "onnxruntime-int8": "ONNX Runtime",
          "openvino": "OpenVINO", "openvino-bf16": "OpenVINO"}
# Who takes part in a precision, in this order.
PEERS = {"fp32": ["torch", "onnxruntime", "openvino"],
         "bf16": ["openvino-bf16"], "int8": ["onnxruntime-int8"]}
FIRST_SHAPE = "1x8"


class EngineError(Exception):
    pass


def avx2_environment(work):
    """Makes every library in a process believe that AVX2 is all there is."""
    library = work / "avx2_only.so"
    source = HERE / "avx2_only.c"
    if (not library.exists()
            or library.stat().st_mtime < source.stat().st_mtime):
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library,
                        source], check=True)
    return {"LD_PRELOAD": str(library), "ATEN_CPU_CAPABILITY": "avx2",
            "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def cpus(threads):
    """The CPUs that an engine of so many threads may use."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise EngineError(f"{threads} threads wanted, {len(allowed)} CPUs here")
    return allowed[:threads]


class Engine:
    """One process. `cpu_share` of a turn is the CPUs it kept busy."""

    def __init__(self, name, command, threads, environment, log):
        self.name = name
        pinned_to = cpus(threads)
        self.process = subprocess.Popen(
            command, cwd=HERE.parent, text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)} | environment,
            preexec_fn=lambda: os.sched_setaffinity(0, pinned_to))

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise EngineError(
                f"{self.name} ended with status {self.process.wait()}; "
                "its log is engines.log in the work directory")
        return json.loads(line)

    def measure(self, shape):
        spent, start = self.cpu_seconds(), time.perf_counter()
        with contextlib.suppress(BrokenPipeError):  # read() tells
            self.process.stdin.write(shapes.for_bench(shape) + "\n")
            self.process.stdin.flush()
        turn = self.read()
        turn["cpu_share"] = ((self.cpu_seconds() - spent)
                             / (time.perf_counter() - start))
        return turn

    def cpu_seconds(self):
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def _loaded(engine):
    """Waits until it is: nobody is measured while another still loads."""
    engine.measure(FIRST_SHAPE)
    return engine


def start_ours(setup, group, log):
    command = [setup.bench, f"--model={setup.work / group.model}", "--shapes=-",
               f"--threads={group.threads}", f"--precision={group.precision}",
               f"--max_isa={group.isa}", f"--seconds={setup.seconds}", "--json"]
    return _loaded(Engine(OURS, command, group.threads, {}, log))


def start_peer(name, setup, group, log):
    path = {"torch": setup.work / group.model,
            "onnxruntime-int8": exports.int8_path(group.model, setup.work)
            }.get(name, exports.onnx_path(group.model, setup.work))
    config = json.loads((setup.work / group.model / "config.json").read_text())
    command = [sys.executable, "-m", "peers.worker", name, f"--model={path}",
               f"--vocab_size={config['vocab_size']}",
               f"--threads={group.threads}", f"--seconds={setup.seconds}"]
    environment = avx2_environment(setup.work) if group.isa == "avx2" else {}
    return _loaded(Engine(name, command, group.threads, environment, log))


def gemm_peak(setup, group):
    """GFLOP/s of the machine's matrix products now, None where it has none."""
    pinned_to = cpus(group.threads)
    done = subprocess.run(
        [setup.gemm_peak, f"--threads={group.threads}",
         f"--precisions={group.precision}", f"--max_isa={group.isa}",
         f"--seconds={setup.peak_seconds}"],
        check=True, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, pinned_to))
    return json.loads(done.stdout)["gflops"] if done.stdout else None
