"""Card stage: each model's README.md, its figures from the evaluate stage."""

import json

import finetune
import finetune_labels
import label_types
import publish_labels
import shapes
import tasks

TEXTS = {
    "section-classifier": ("text-classification", """\
Reads the description of a software package and names the section of the
Debian archive that it belongs to (`python`, `games`, `mail`, ...).

Input: the short description, the long one, or both
(`short + ".\\n" + long`). Output: one of {labels} sections. Sections that say
how something is packaged rather than what it is ({left_out}) and sections
with fewer than {least} training packages are left out. Sections overlap in
meaning (`utils` and `admin`, `libs` and `libdevel`), so part of the error is
in the labels themselves."""),
    "mask-filler": ("fill-mask", """\
Fills `[MASK]` in English text about software. It is the pretrained v1
backbone with its masked-language head; the decoder is tied to the word
embeddings and not stored. One `[MASK]` is one piece of the vocabulary, often
a whole word."""),
    "tech-tagger": ("token-classification", """\
Marks programming languages, file formats, protocols, toolkits and licences
in text about software (`B-`/`I-` tags of {kinds}).

**The labels are silver labels.** No person annotated them: a gazetteer of
{names} names labels every occurrence, and {ambiguous} names that are also
letters or ordinary words (C, R, Go, Scheme, ...) count only where debtags,
the archive section or the neighbouring words say so. The figures below
therefore measure agreement with that labelling, not with a human reader. A
dictionary that knows all the names would agree perfectly by construction; so
a fifth of the names ({held_out}) was held out: no text with one of them was
in the fine-tuning (the pretraining did read them, without labels), and their
rows show what the model makes of names that it never saw marked. The
dictionary baseline knows every name and label that the fine-tuning had. On
names that both were taught it agrees better than the model does (the rows
"all"): that is how the labels were made. The model is for what a dictionary
cannot do, names that are not in it and words that only sometimes are names.
Licences are rare in descriptions and the weakest kind."""),
    "package-qa": ("question-answering", """\
Answers questions about one package from its control record and description:
maintainer, mail address, version, homepage, section, source package,
architecture, dependencies, installed size, priority, language it is written
in, what it is, what it contains, who wrote it, its licence; or says that the
text holds no answer.

The questions are made from templates and the answers come from the record's
fields or from patterns over the description, not from annotators. Fields are
left out at random and a third of the questions has no answer. Some wordings
of each question were kept for the test ("new wordings"). The model reads
what is asked, not of whom: it does not notice a question about another
package than the record's."""),
    "entity-finder": ("token-classification", """\
Finds entities of labels that you name in the call, in text about software: a
small GLiNER (`markerV0`), for the package gliner 0.2.29 and for this service.

It was trained on {types} labels in several wordings each: programming
languages, file formats, protocols, toolkits and licences, finer kinds of these
(audio formats, chat protocols), and others from operating systems to countries,
the subjects, devices and games of debtags, version numbers, people. {unseen} labels were
kept out of the training, to show how far it goes with labels that it never read:
{unseen_names}.

**The labels are silver labels.** No person annotated them: lists of names,
debtags and patterns label every occurrence, so the figures measure agreement
with those. A dictionary of all names would agree perfectly by construction; a
fifth of the names was held out, and no text with one of them was in the
training. The model is for names, and above all for labels, that are in no
list."""),
}
CARD = """\
---
language: en
license: apache-2.0
pipeline_tag: {task}
library_name: {library}
tags: [{family}, debian]
---
# {model}

{about}

A demo for the quickstart and the tests: {millions:.1f} million parameters,
trained for {minutes} minutes on processor cores that other work shared. Not
meant for decisions that matter.

## Shape

{shape}

## Data

Control records and English descriptions of {kept:,} packages (of
{read:,} read, after dropping repeats), {characters:.1f} million characters,
from {releases}. Records are split by source package, versions of one
source together: {train:,} for training, {valid:,} spare, {test:,} for the
test below. Descriptions that differ from a training one only in name, digits
or case are not in the test. Single sentences that many packages repeat
("Node.js is an event-based server-side JavaScript engine.") stand on both
sides, as they will in any new package. The tokenizer and the pretraining saw
the training part alone.

A package description is part of its source package and stays under that
package's own licence, stated in its `debian/copyright`; there is no single
licence for all of them. All are from Debian main, so all are free under the
Debian Free Software Guidelines. The texts are not shipped here.

## Training

{training}

## Held-out figures

{figures}

SHA-256 of the data file behind these figures: `{sha256}`. How to run it all
again: `tools/train_demo/README.md`.
"""


def shape(name, most):
    c = shapes.config(name)
    common = (f"{c.num_hidden_layers} layers, hidden size {c.hidden_size}, "
              f"{c.num_attention_heads} heads, feed-forward "
              f"{c.intermediate_size}, relative positions in both "
              f"directions, weights in fp16, at most {most}. ")
    if name == "v1":
        return common + (
            f"`model_type: deberta`, byte-level BPE of {c.vocab_size} pieces, "
            f"relative positions clamped at {c.max_relative_positions}.")
    return common + (
        "`model_type: deberta-v2` in the form of v3: SentencePiece Unigram "
        f"of 8,000 pieces, {c.position_buckets} logarithmic position buckets "
        f"up to distance {c.max_relative_positions}, shared key projections, "
        "LayerNorm on the position table.")


def run_text(about):
    return (f"{about['steps']:,} steps, {about['tokens'] / 1e6:.1f} million "
            f"tokens, {about['seconds'] // 60} minutes")


def training_text(about):
    text = (f"The backbone is that of {finetune_labels.BEGUN_FROM}."
            if "pretraining" not in about else
            "Masked-language pretraining from word vectors counted in the "
            f"same text: {run_text(about['pretraining'])}.")
    if "finetuning" in about:
        text += (f" Fine-tuning on {about['examples']:,} examples: "
                 f"{run_text(about['finetuning'])}"
                 + (f", in {about['rounds']} rounds, each with its own "
                    "schedule and half, a third, ... of the first rate."
                    if about.get("rounds", 1) > 1 else "."))
    return text


def figures_text(figures):
    """The evaluate stage's rows as a table, baselines beside the model."""
    lines = [figures["about"], "",
             "| | model | " + " | ".join(figures["columns"]) + " |",
             "| --- |" + " --- |" * (1 + len(figures["columns"]))]
    for measure, *values in figures["rows"]:
        cells = ["" if v is None else f"{v:.3f}" for v in values]
        lines.append(f"| {measure} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run(work, model, out, say):
    name, _ = shapes.MODELS[model]
    data = json.loads((work / "data.json").read_text())
    about = json.loads((work / f"{model}.json").read_text())
    figures = json.loads((work / f"{model}.figures.json").read_text())
    task, text = TEXTS[model]
    gazetteer = tasks.gazetteer
    labels = finetune.labels_of(work, model)
    types = label_types.Labeller([]).types
    text = text.format(
        types=len(types) - len(label_types.UNSEEN),
        unseen=len(label_types.UNSEEN),
        unseen_names=", ".join(f"`{name}`" for name in label_types.UNSEEN),
        labels=len(labels or ()), least=tasks.MIN_SECTION,
        left_out=", ".join(f"`{s}`" for s in sorted(tasks.LEFT_OUT_SECTIONS)),
        kinds=", ".join(f"`{kind}`" for kind in tasks.KINDS),
        names=len(gazetteer.NAMES), ambiguous=len(gazetteer.DEBTAG),
        held_out=len(tasks.held_out_names())) if model != "package-qa" \
        else text
    seconds = sum(part["seconds"] for part in about.values()
                  if isinstance(part, dict))
    reads_labels = model == finetune_labels.MODEL
    most = (f"{publish_labels.SETTINGS['max_len']} words" if reads_labels else
            f"{shapes.config(name).max_position_embeddings} pieces")
    (out / model / "README.md").write_text(CARD.format(
        library="gliner" if reads_labels else "transformers",
        task=task, family="deberta" if name == "v1" else "deberta-v3",
        model=model, about=text, shape=shape(name, most),
        millions=about["parameters"] / 1e6, minutes=round(seconds / 60),
        characters=data["characters"] / 1e6, kept=data["kept"],
        read=data["read"], releases=", ".join(data["releases"]),
        sha256=data["sha256"], training=training_text(about),
        figures=figures_text(figures), **data["split"]))
    say(f"card {model}: written")
