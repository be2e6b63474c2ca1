"""Labels of a table by Ray Data; every row is answered once.

    pip install "ray[data]" deberta-client
    python label_table.py dns:///deberta-headless:50051 texts.parquet labels

The table has the columns id and text; the labels have id, label, score and error.
Each batch goes over a stream to one of the target's servers, in turn; what a server
that goes away leaves is asked of another. A list of servers is a target too:
ipv4:10.0.0.1:50051,10.0.0.2:50051.
"""

import sys

import pandas as pd
import ray
from deberta_client import Client, tasks

MODEL = "section-classifier"


class Label:
    """An actor: its connections are kept from batch to batch."""

    def __init__(self, target):
        # Servers may be away for minutes.
        self.client = Client(target, max_attempts=60)
        self.job = tasks.classify(MODEL, top_k=1)

    def __call__(self, frame):
        rows = zip(frame["id"], frame["text"])
        found = self.client.process((id, self.job, text) for id, text in rows)
        return pd.DataFrame([
            (one.key, None, None, str(one.error)) if one.error else
            (one.key, one.result[0].label, one.result[0].score, None)
            for one in found
        ], columns=["id", "label", "score", "error"]).astype(
            {"label": "string", "score": "float32", "error": "string"})


if __name__ == "__main__":
    target, source, output = sys.argv[1:]
    ray.data.read_parquet(source).map_batches(
        Label, fn_constructor_args=(target,), batch_format="pandas",
        batch_size=2000,
        # Some two actors for each server, which wait for it and compute little.
        concurrency=2, num_cpus=0.1,
    ).write_parquet(output)
