r"""One peer in a process of its own, which answers requests line by line.

    python -m peers.worker ENGINE --model=PATH --vocab_size=N --threads=N \
        --seconds=S

For each line "SHAPE" it measures as deberta-bench does (one warm-up if the
shape is new, then runs until the time is up, one at least), and answers with a
line of JSON. The process is pinned, and its environment set, by engines.py.
"""

import argparse
import json
import os
import statistics
import sys
import time

from . import shapes


class Torch:
    def __init__(self, path, threads):
        import torch
        import transformers
        self.torch = torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        transformers.logging.set_verbosity_error()
        self.model = (
            transformers.AutoModelForSequenceClassification.from_pretrained(
                path, dtype=torch.float32).eval())

    def kernels(self):
        """What computes, in the library's own words."""
        return self.torch.backends.cpu.get_cpu_capability()

    def prepare(self, ids, mask):
        return {"input_ids": self.torch.tensor(ids),
                "attention_mask": self.torch.tensor(mask)}

    def run(self, inputs):
        return self.model(**inputs).logits.numpy()


class OnnxRuntime:
    def __init__(self, path, threads):
        import numpy
        import onnxruntime
        self.numpy = numpy
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.graph_optimization_level = (
            onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"])

    def prepare(self, ids, mask):
        return {"input_ids": self.numpy.array(ids, dtype="int64"),
                "attention_mask": self.numpy.array(mask, dtype="int64")}

    def run(self, inputs):
        return self.session.run(None, inputs)[0]

    def kernels(self):
        return ""


class OpenVino:
    precision = "f32"

    def __init__(self, path, threads):
        import numpy
        import openvino
        self.numpy = numpy
        self.model = openvino.Core().compile_model(path, "CPU", {
            "INFERENCE_PRECISION_HINT": self.precision,
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads})
        self.request = self.model.create_infer_request()

    def kernels(self):
        """What computes the dense layers, known after the first run."""
        kinds = {}
        for node in self.model.get_runtime_model().get_ops():
            told = node.get_rt_info()
            if told["layerType"].value == "FullyConnected":
                kind = told["primitiveType"].value
                kinds[kind] = kinds.get(kind, 0) + 1
        return ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))

    prepare = OnnxRuntime.prepare

    def run(self, inputs):
        return self.request.infer(inputs)[0]


class OpenVinoBf16(OpenVino):
    precision = "bf16"


ENGINES = {"torch": Torch, "onnxruntime": OnnxRuntime,
           "onnxruntime-int8": OnnxRuntime, "openvino": OpenVino,
           "openvino-bf16": OpenVinoBf16}


def measure(engine, inputs, seconds, is_new):
    times = []
    end = time.perf_counter() + seconds
    if is_new:
        engine.run(inputs)
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        logits = engine.run(inputs)
        times.append((time.perf_counter() - start) * 1000)
    return {"runs": len(times), "min_ms": min(times),
            "median_ms": statistics.median(times),
            "process_bytes": process_bytes(), "kernels": engine.kernels(),
            "first_logits": logits[0].tolist()}


def process_bytes():
    with open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--model", required=True)
    parser.add_argument("--vocab_size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    return parser.parse_args()


def main():
    # Libraries may print: only answers go to the pipe.
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    arguments = parse_arguments()

    def answer(value):
        print(json.dumps(value), file=pipe, flush=True)

    start = time.perf_counter()
    engine = ENGINES[arguments.engine](arguments.model, arguments.threads)
    load_ms = (time.perf_counter() - start) * 1000
    prepared = {}
    for line in sys.stdin:
        shape = line.strip()
        is_new = shape not in prepared
        if is_new:
            prepared[shape] = engine.prepare(
                *shapes.padded_ids(shape, arguments.vocab_size))
        turn = measure(engine, prepared[shape], arguments.seconds, is_new)
        answer(turn | {"load_ms": load_ms})


if __name__ == "__main__":
    main()
