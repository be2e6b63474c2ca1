#!/usr/bin/env python3
"""Writes docs/conformance.md from the results of the parts.

    report.py --results=DIR --out=docs/conformance.md

DIR holds PART.json, or several PART*.json. Each is a JSON list of rows: row, reference, cases, compared, worst, limit,
unit, note. Fails if a row that the page must have is missing, or if a row is
beyond its limit.
"""

import argparse
import json
import pathlib

# Part: its heading, what stands under it, and the rows that it must have.
PARTS = {
    "models": ("Models and heads", """\
Random configurations whose weights are large enough for a wrong index to show,
computed in fp32 on every vector width. A case is a directory; a difference is the
largest over all rows of all cases, divided by the largest absolute value that the
reference gave. Microsoft's code is the reference of what transformers lacks.""", [
        "DebertaConfig", "DebertaModel", "DebertaForMaskedLM",
        "DebertaForSequenceClassification", "DebertaForTokenClassification",
        "DebertaForQuestionAnswering", "DebertaV2Config", "DebertaV2Model",
        "DebertaV2ForMaskedLM", "DebertaV2ForSequenceClassification",
        "DebertaV2ForTokenClassification", "DebertaV2ForQuestionAnswering",
        "DebertaV2ForMultipleChoice", "Enhanced Mask Decoder (v1)",
        "Enhanced Mask Decoder (v2, v3)", "Replaced-token detection (v3)"]),
    "formats": ("Weight files", """\
The same checkpoint in every form that PyTorch and transformers write, and what
`deberta-convert` makes of it.""", [
        "DebertaPreTrainedModel", "DebertaV2PreTrainedModel"]),
    "tf_models": ("TensorFlow classes", """\
`tf_model.h5` as the TF classes save it, against what the classes compute.""", [
        "TFDebertaModel", "TFDebertaPreTrainedModel", "TFDebertaForMaskedLM",
        "TFDebertaForSequenceClassification",
        "TFDebertaForTokenClassification", "TFDebertaForQuestionAnswering"]),
    "tokenizers": ("Tokenizers", """\
Ids, offsets, type ids and special token masks of real text in many languages
and of generated hostile text. A line that differs in any of them counts.""", [
        "DebertaTokenizer", "DebertaTokenizerFast", "DebertaV2Tokenizer",
        "DebertaV2TokenizerFast"]),
    "pipelines": ("Pipelines", """\
Calls to a running server against the Python pipelines on the same checkpoints:
labels, spans and order must be equal, and scores within the limit.""", [
        "text-classification", "token-classification", "question-answering",
        "fill-mask", "zero-shot-classification"]),
}

HEAD = """\
# Conformance

Every row of the Hugging Face model page of DeBERTa, and what stands beside it:
the reference that it was run against, the number of cases, and the worst
difference found. This page is written by `tests/conformance/run.sh`, which runs
the references and this service side by side; it fails when a row is beyond its
limit.
"""
COLUMNS = ("row", "reference", "compared", "cases", "worst", "limit")


def amount(value, unit):
    """A difference or a count, as the table shows it."""
    if unit == "differences":
        return f"{value:,}"
    if unit == "times":
        return f"{value:.1f} times"
    return f"{value:.1e} {unit}".strip()


def cells(row):
    unit = row.get("unit", "")
    return [f"`{row['row']}`", row["reference"], row["compared"],
            f"{row['cases']:,}", amount(row["worst"], unit),
            amount(row["limit"], unit)]


def table(rows):
    lines = ["| " + " | ".join(COLUMNS) + " |",
             "| --- | --- | --- | ---: | ---: | ---: |"]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    rows_of = {}
    for row in rows:
        if row.get("note"):
            rows_of.setdefault(row["note"], {})[f"`{row['row']}`"] = None
    notes = [f"- {note}: {', '.join(names)}"
             for note, names in rows_of.items()]
    return "\n".join(lines + ([""] + notes if notes else []))


def check(name, rows, wanted):
    """What is wrong with the rows of a part, in words."""
    held = {row["row"] for row in rows}
    wrong = [f"{name}: no row {row}" for row in wanted if row not in held]
    for row in rows:
        if row["cases"] < 1:
            wrong.append(f"{name}: {row['row']}: no cases")
        if not row["worst"] <= row["limit"]:
            wrong.append(f"{name}: {row['row']}, {row['compared']}: "
                         f"{row['worst']} is beyond {row['limit']}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    page, wrong = [HEAD], []
    for name, (heading, text, wanted) in PARTS.items():
        rows = [row for path in sorted(options.results.glob(f"{name}*.json"))
                for row in json.loads(path.read_text())]
        wrong += check(name, rows, wanted)
        page.append(f"## {heading}\n\n{text}\n\n{table(rows)}\n")
    if wrong:
        raise SystemExit("\n".join(wrong))
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text("\n".join(page))


if __name__ == "__main__":
    main()
