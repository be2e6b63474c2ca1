#!/usr/bin/env python3
"""Writes docs/conformance.md from the results of the parts.

    report.py --results=DIR --out=docs/conformance.md

DIR holds PART.json, or several PART*.json. Each is a JSON list of rows: row,
reference, cases, compared, worst, limit, unit, note. A row of the page that has
no result there stays as it is; families.md, beside this script, is written by hand
and comes last. Fails if a row that the page must have is
missing, or if a row is beyond its limit.
"""

import argparse
import json
import pathlib
import re

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
    "words": ("Words", """\
Every code point, alone and between letters, and random texts, cut into words as the
packages of models over words cut them, and the tokens of each word by itself.""", [
        "words of gliner", "tokens of words"]),
    "labels": ("Labels of the caller's own", """\
Random directories as the packages gliner, gliclass and gliner2 save them, over their
settings, with weights large enough that scores spread; each text by itself. Logits of
the programs on every vector width; lists and scores of a running server, over flat,
nested and multi_label at five thresholds where no score is within 1e-6 of another or
of a threshold. Below, cross-encoders of one label, by `Rerank`.""", [
        "gliner markerV0", "gliner marker", "gliner markerV1",
        "gliner token_level", "gliner token_level with represent_spans",
        "gliclass simple", "gliclass mlp", "gliclass weighted-dot",
        "gliclass hopfield", "gliner2 count_lstm", "gliner2 count_lstm_v2",
        "gliner2 count_lstm_moe", "CrossEncoder.rank"]),
    "pipelines": ("Pipelines", """\
Calls to a running server against the Python pipelines on the same checkpoints:
labels, spans and order must be equal, and scores within the limit.""", [
        "text-classification", "token-classification", "question-answering",
        "fill-mask", "zero-shot-classification"]),
    "saved_by_5": ("Directories saved by transformers 5", """\
Random directories of every head that version 5 loaded and saved: tokenizers from
`tokenizer.json` and from the raw files, and directories of 4.57 saved again, with
the settings that the classes take. Read here without any flag, against what version
5 makes of the same directory; the pipelines are those that version 5 still has.""", [
        *(f"{name} from {source}"
          for name, raw in (("DebertaTokenizer", "vocab.json + merges.txt"),
                            ("DebertaV2Tokenizer", "spm.model"))
          for source in ("tokenizer.json", raw, "a 4.57 directory")),
        "DebertaModel", "DebertaForMaskedLM",
        "DebertaForSequenceClassification", "DebertaForTokenClassification",
        "DebertaForQuestionAnswering", "DebertaV2Model",
        "DebertaV2ForMaskedLM", "DebertaV2ForSequenceClassification",
        "DebertaV2ForTokenClassification", "DebertaV2ForQuestionAnswering",
        "DebertaV2ForMultipleChoice", "text-classification",
        "token-classification", "fill-mask", "zero-shot-classification",
        "feature-extraction"]),
    "wild": ("Wild directories", """\
Stand-ins for directories as people publish them: random weights at small sizes and
real file layouts, saved by transformers 4.57.1 and 5.24 and sentence-transformers,
heads of publishers' own written from their model cards. All are served by default
flags, and asked by calls; those of the last row must not start. A case of a
tokenizer's row is a text, one of a pipeline's a call, of any other row a
directory.""", [
        "directories served", "declared heads", "CrossEncoder",
        "bi-encoder with modules.json", "Encode of layers, BERTScore",
        "small things", "refused, with what to do", "text-classification",
        "token-classification", "fill-mask", "zero-shot-classification",
        "feature-extraction"]),
}
FAMILIES = pathlib.Path(__file__).with_name("families.md")

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


def section(page, heading):
    """The rows and the notes under a heading: [(name, line)], {note: names}."""
    rows, notes = [], {}
    text = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for line in text.splitlines():
        names = re.findall(r"`([^`]*)`", line)
        if line.startswith("| `"):
            rows.append((names[0], line))
        elif line.startswith("- "):
            notes[line[2:line.index(": `")]] = names
    return rows, notes


def merged(old, new):
    """Rows in the old page's order, with all new ones of a name in its place."""
    replaced = {name for name, _ in new}
    names = dict.fromkeys(name for name, _ in old + new)
    for name in names:
        yield from ((n, line) for n, line in (new if name in replaced else old)
                    if n == name)


def table(rows, page, heading):
    """The lines of a part's table and notes, and the names of its rows."""
    old_rows, old_notes = section(page, heading)
    new_rows = [(row["row"], "| " + " | ".join(cells(row)) + " |")
                for row in rows]
    replaced = {name for name, _ in new_rows}
    lines = ["| " + " | ".join(COLUMNS) + " |",
             "| --- | --- | --- | ---: | ---: | ---: |"]
    together = list(merged(old_rows, new_rows))
    lines += [line for _, line in together]
    names_of = {note: {name: None for name in names if name not in replaced}
                for note, names in old_notes.items()}
    for row in rows:
        if row.get("note"):
            names_of.setdefault(row["note"], {})[row["row"]] = None
    notes = [f"- {note}: {', '.join(f'`{name}`' for name in names)}"
             for note, names in names_of.items() if names]
    return ("\n".join(lines + ([""] + notes if notes else [])),
            {name for name, _ in together})


def check(name, rows, held, wanted):
    """What is wrong with the rows of a part, in words."""
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
    old = options.out.read_text() if options.out.exists() else ""
    page, wrong = [HEAD], []
    for name, (heading, text, wanted) in PARTS.items():
        rows = [row for path in sorted(options.results.glob(f"{name}*.json"))
                for row in json.loads(path.read_text())]
        written, held = table(rows, old, heading)
        wrong += check(name, rows, held, wanted)
        page.append(f"## {heading}\n\n{text}\n\n{written}\n")
    page.append(f"## Checkpoint families\n\n{FAMILIES.read_text()}")
    if wrong:
        raise SystemExit("\n".join(wrong))
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text("\n".join(page))


if __name__ == "__main__":
    main()
