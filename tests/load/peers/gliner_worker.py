r"""The package gliner in a process of its own, which answers line by line.

    python -m peers.gliner_worker ENGINE --model=DIRECTORY --threads=N --seconds=S

ENGINE: torch, onnx or onnx-int8. For each line, a shape of gliner_texts, it makes
whole calls from text to entities until the time is up, one at least, and answers
with a line of JSON. Batches are of the package's default size: one of 32 texts of
up to 380 words takes it more than 10 GB.
"""

import argparse
import json
import os
import statistics
import sys
import time

from . import gliner_models, gliner_texts
from .worker import process_bytes

THRESHOLD = 0.5
BATCH = 8


def load(engine, directory, threads):
    import gliner
    import torch
    torch.set_num_threads(threads)
    if engine == "torch":
        return gliner.GLiNER.from_pretrained(directory, local_files_only=True)
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return gliner.GLiNER.from_pretrained(
        directory, local_files_only=True, load_onnx_model=True,
        session_options=options, onnx_model_file={
            "onnx": gliner_models.ONNX,
            "onnx-int8": gliner_models.ONNX_INT8}[engine])


def measure(model, texts, seconds):
    times, found = [], []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        found = model.inference(texts, gliner_texts.LABELS, threshold=THRESHOLD,
                                batch_size=BATCH)
        times.append((time.perf_counter() - start) * 1000)
    entities = [[(e["start"], e["end"], e["label"]) for e in text]
                for text in found]
    return {"median_ms": statistics.median(times), "runs": len(times),
            "process_bytes": process_bytes(), "entities": entities}


def main():
    # Libraries may print: only answers go to the pipe.
    pipe = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", choices=["torch", "onnx", "onnx-int8"])
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    arguments = parser.parse_args()
    model = load(arguments.engine, arguments.model, arguments.threads)
    for line in sys.stdin:
        turn = measure(model, gliner_texts.texts(line.strip()), arguments.seconds)
        print(json.dumps(turn), file=pipe, flush=True)


if __name__ == "__main__":
    main()
