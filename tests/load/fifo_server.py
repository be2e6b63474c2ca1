#!/usr/bin/env python3
"""A stand-in for a plain server over ONNX Runtime, to measure ours beside.

Classify of deberta.proto over the same weights in fp32: requests wait in one
queue without end, in the order of their arrival; those that wait when the model
is free are computed together, at most --max_batch texts, padded to the longest.
Deadlines are not looked at, as few such servers do. Prints {"grpc_port": N}.

  python tests/load/fifo_server.py --model demo/section-classifier --work /tmp/fifo

Needs tests/load/requirements.txt.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

from peers import stubs

ROOT = pathlib.Path(__file__).resolve().parents[2]


def exported(model, work):
    """The model as ONNX, made in a process whose memory is given back."""
    path = work / "model.onnx"
    if not path.exists():
        code = ("import pathlib, sys; from peers import exports; "
                "exports.export(sys.argv[1], pathlib.Path(sys.argv[2]))")
        subprocess.run([sys.executable, "-c", code, model.resolve(), path],
                       check=True, cwd=ROOT / "tests/load")
    return path


class Fifo:
    """Computes on one thread what waits in the queue."""

    def __init__(self, model, onnx, max_batch):
        import onnxruntime
        import tokenizers
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        self.session = onnxruntime.InferenceSession(
            str(onnx), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizers.Tokenizer.from_file(
            str(model / "tokenizer.json"))
        self.tokenizer.enable_truncation(512)
        self.tokenizer.enable_padding()
        self.max_batch = max_batch
        self.waiting = queue.SimpleQueue()
        threading.Thread(target=self.run, daemon=True).start()

    def logits(self, texts):
        """Of one request; waits its turn."""
        futures = []
        for text in texts:
            futures.append(concurrent.futures.Future())
            self.waiting.put((text, futures[-1]))
        return [future.result() for future in futures]

    def run(self):
        while True:
            batch = [self.waiting.get()]
            while len(batch) < self.max_batch and not self.waiting.empty():
                batch.append(self.waiting.get())
            for (_, future), row in zip(batch, self.compute(
                    [text for text, _ in batch])):
                future.set_result(row)

    def compute(self, texts):
        import numpy
        encodings = self.tokenizer.encode_batch(texts)
        feeds = {"input_ids": [e.ids for e in encodings],
                 "attention_mask": [e.attention_mask for e in encodings]}
        return self.session.run(
            None, {name: numpy.array(rows, dtype=numpy.int64)
                   for name, rows in feeds.items()})[0]


def softmax(row):
    import numpy
    exponentials = numpy.exp(row - row.max())
    return exponentials / exponentials.sum()


def serve(options):
    import grpc
    import transformers
    pb2, pb2_grpc = stubs.generated(options.work)
    names = transformers.AutoConfig.from_pretrained(options.model).id2label
    fifo = Fifo(options.model, exported(options.model, options.work),
                options.max_batch)
    fifo.logits(["warm up"])

    class Service(pb2_grpc.DebertaServiceServicer):
        def Classify(self, request, context):
            response = pb2.ClassifyResponse()
            for row in fifo.logits([i.text for i in request.inputs]):
                result = response.results.add()
                for place, score in enumerate(softmax(row)):
                    result.labels.add(label=names[place], score=score)
            return response

    # As many threads as calls may wait.
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(options.max_waiting))
    pb2_grpc.add_DebertaServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"grpc_port": port}), flush=True)
    server.wait_for_termination()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--max_batch", type=int, default=8)
    parser.add_argument("--max_waiting", type=int, default=4096)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    serve(options)


if __name__ == "__main__":
    main()
