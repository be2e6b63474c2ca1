"""Labels of a table by Spark's mapInPandas; every row is answered once.

    pip install pyspark deberta-client
    spark-submit label_table.py dns:///deberta-headless:50051 texts.parquet labels.parquet

The table has the columns id and text; the labels have id, label, score and error.
Each partition has a stream to one of the target's servers, in turn; what a server
that goes away leaves is asked of another. A list of servers is a target too:
ipv4:10.0.0.1:50051,10.0.0.2:50051.
"""

import sys

from pyspark.sql import SparkSession

MODEL = "section-classifier"
SCHEMA = "id long, label string, score float, error string"


def label(target):
    def of_frames(frames):
        # Imported where it runs: on the workers.
        from deberta_client import Client, tasks

        import pandas as pd
        job = tasks.classify(MODEL, top_k=1)
        # Servers may be away for minutes; Spark tries a partition again later.
        with Client(target, max_attempts=60) as client:
            for frame in frames:
                rows = zip(frame["id"], frame["text"])
                found = client.process((id, job, text) for id, text in rows)
                yield pd.DataFrame([
                    (one.key, None, None, str(one.error)) if one.error else
                    (one.key, one.result[0].label, one.result[0].score, None)
                    for one in found
                ], columns=["id", "label", "score", "error"])
    return of_frames


if __name__ == "__main__":
    target, source, output = sys.argv[1:]
    spark = SparkSession.builder.appName("labels").getOrCreate()
    # Frames of so many rows; what a partition holds at once.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "2000")
    texts = spark.read.parquet(source)
    # Partitions that are small enough to be done again, and four at least for
    # each of the servers' streams.
    texts = texts.repartition(max(8, texts.count() // 50_000))
    texts.mapInPandas(label(target), SCHEMA).write.parquet(output)
