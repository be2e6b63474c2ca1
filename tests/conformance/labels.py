#!/usr/bin/env python3
"""Holds models that read the caller's labels against their packages.

    labels.py --build=build/release --out=labels.json [--seed=11] [--share=1]

Random directories as gliner, gliclass and gliner2 save them: token ids, logits on
every vector width, and what a running server finds, each text by itself. Then
cross-encoders of one label against CrossEncoder.rank. Fewer directories with a
`share` below 1. Needs the packages of requirements/labels.txt, with the stubs of
proto/ and tests/golden/generators on the path.
"""

import argparse
import math
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE.parent / "e2e"), str(HERE.parent / "golden/generators")]

import deberta.v1.deberta_pb2 as pb  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

import groups  # noqa: E402
import label_cases  # noqa: E402
import label_models  # noqa: E402
import models  # noqa: E402
import outcome  # noqa: E402
import rerank_cases  # noqa: E402
from server import Server, stub  # noqa: E402

LOGITS = 2e-5  # of scale
SCORES = 3e-5  # a sigmoid or softmax of logits up to some 10
RERANKERS = 12


class Rows:
    """The report's rows: differences are counted, others the worst."""

    def __init__(self):
        self.rows = {}

    def add(self, row, reference, compared, value, limit, unit, cases=1, note=""):
        entry = self.rows.setdefault((row, compared), dict(
            row=row, reference=reference, compared=compared, cases=0, worst=0,
            limit=limit, unit=unit, note=note))
        entry["cases"] += cases
        entry["worst"] = (entry["worst"] + value if unit == "differences"
                          else max(entry["worst"], value))

    def differ(self, row, reference, compared, expected, got, where):
        different = expected != got
        self.add(row, reference, compared, int(different), 0, "differences")
        if different:
            print(f"{row}, {compared}: {where}\n  expected {expected}\n"
                  f"  got {got}", file=sys.stderr)
        return not different


def compare_logits(rows, build, made_models):
    directories = [made.directory for made in made_models]
    lines = [models.compare(build, directories, [f"--isa={isa}"])
             for isa in models.ISAS]
    for made in made_models:
        values = [by_directory[str(made.directory)].get("logits")
                  for by_directory in lines]
        worst = math.inf if None in values else max(values)
        rows.add(made.row, made.reference, "logits", worst, LOGITS, "of scale",
                 note="AVX-512, AVX2 and baseline")
        if worst > LOGITS:
            print(f"{made.name}: logits {values}", file=sys.stderr)


def compare_ids(rows, build, made, asked):
    got = label_cases.ids_here(build, made.directory, asked)
    for (rpc, request, expected), ids in zip(asked, got, strict=True):
        rows.differ(made.row, made.reference, "token ids", expected, ids,
                    f"{made.name} {rpc} {request}")


def compare_found(rows, service, made, cases):
    for rpc, request, expected in cases:
        result = getattr(service, rpc)(
            label_cases.request_of(rpc, made.name, request)).results[0]
        got = label_cases.found_by_server(rpc, result)
        form, scores = groups.parts(got)
        wanted_form, wanted = groups.parts(expected)
        compared = {"ExtractEntities": "entities", "ClassifyZeroShot": "classes",
                    "ExtractStructured": "structures and relations"}[rpc]
        if rows.differ(made.row, made.reference, compared, wanted_form, form,
                       f"{made.name} {request}"):
            worst = max((abs(a - b) for a, b in zip(scores, wanted)), default=0)
            rows.add(made.row, made.reference, "scores", worst, SCORES, "")


def compare_labels(rows, options, scratch):
    for family, count in label_models.FAMILIES.items():
        made_models, asked, cases = [], {}, {}
        for index in range(max(1, round(count * options.share))):
            made, tensors = label_models.make(family, index, options.seed, scratch)
            made_models.append(made)
            cases[made.name] = list(label_cases.cases_of(made))
            asked[made.name] = list(
                label_cases.ids_of(made, tensors, cases[made.name]))
            print(f"{made.name} ({made.row}): {len(cases[made.name])} cases",
                  file=sys.stderr)
        compare_logits(rows, options.build, made_models)
        with Server(str(options.build / "deberta-server"),
                    {made.name: made.directory for made in made_models},
                    scratch / "server.log") as server, server.channel() as channel:
            for made in made_models:
                compare_ids(rows, options.build, made, asked[made.name])
                compare_found(rows, stub(channel), made, cases[made.name])


def compare_rerank(rows, options, scratch):
    made = [rerank_cases.make(index, options.seed, scratch)
            for index in range(max(2, round(RERANKERS * options.share)))]
    row, reference = "CrossEncoder.rank", rerank_cases.REFERENCE
    with Server(str(options.build / "deberta-server"),
                {directory.name: directory for directory, _ in made},
                scratch / "server.log") as server, server.channel() as channel:
        for directory, rng in made:
            for query, documents, ranked in rerank_cases.cases(directory, rng):
                for raw, expected in ranked.items():
                    results = stub(channel).Rerank(pb.RerankRequest(
                        model=directory.name, query=query, documents=documents,
                        raw_scores=raw)).results
                    if not rows.differ(
                            row, reference, "order of documents",
                            [i for i, _ in expected], [r.index for r in results],
                            f"{directory.name} {query} {documents}"):
                        continue
                    scale = max(abs(s) for _, s in expected) if raw else 1
                    worst = max(abs(r.score - s) for r, (_, s) in
                                zip(results, expected)) / scale
                    rows.add(row, reference, "logits" if raw else "scores", worst,
                             LOGITS if raw else SCORES, "of scale" if raw else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--share", type=float, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    rows = Rows()
    with tempfile.TemporaryDirectory() as name:
        compare_labels(rows, options, pathlib.Path(name))
        compare_rerank(rows, options, pathlib.Path(name))
    written = sorted(rows.rows.values(), key=lambda row: row["row"])
    return outcome.write(written, options.out)


if __name__ == "__main__":
    sys.exit(main())
