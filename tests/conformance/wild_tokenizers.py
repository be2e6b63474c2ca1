"""Stand-ins with tokenizers of every kind, as published and as saved again.

make(root) yields (kind, tokenizer, directory) below root: the tokenizers of
tests/golden/pipelines and tests/golden/japanese, which pipeline_tokenizers.py
makes, and v1's and v3's, with random models of every head. A directory's name
is FAMILY-HEAD, as pipeline_cases.py asks for it.
"""

import json
import pathlib
import shutil

import transformers

import pipeline_models
import task_tokenizers

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"
# What the slow tokenizers' pipelines answer too.
WITHOUT_OFFSETS = ("labels", "judge", "topics", "encoder")
HEADS = tuple(pipeline_models.SHAPES)


def sources():
    """(kind, directory)"""
    for root in ("pipelines", "japanese"):
        for path in sorted((GOLDEN / root).iterdir()):
            yield path.name, path


def family_of(kind, layout, index):
    """Byte-level tokenizers go with v1's network."""
    v1 = kind.startswith(("bpe-bytes", "bpe-l"))
    typed = "typed" if index % 2 else ""
    return f"{'v1' if v1 else 'v2'}{typed}{kind.replace('-', '')}{layout}"


def as_published(source, directory):
    for path in source.iterdir():
        if not path.name.startswith("expected") and path.name != "config.json":
            shutil.copy(path, directory)
    for name in ("tokenizer.json", "special_tokens_map.json", "added_tokens.json"):
        if (directory / name).exists() and not (source / name).exists():
            (directory / name).unlink()


def limit(directory, tokens):
    path = directory / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text())
                               | {"model_max_length": tokens}))


def save(root, kind, source, index, rng):
    layout = "saved" if index % 2 else "files"
    slow = source.parent.name == "japanese"
    heads = WITHOUT_OFFSETS if slow else HEADS
    head = heads[(index * 5 + index // len(HEADS)) % len(heads)]
    family = family_of(kind, layout, index // 2)
    if family.startswith("v1") and head == "chooser":
        head = "labels"
    directory = root / f"{family}-{head}"
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    shape = pipeline_models.SHAPES[head]
    pipeline_models.save(directory, family, tokenizer, rng, shape)
    if layout == "files":
        as_published(source, directory)
        limit(directory, shape[2])
    return directory


def make(root, rng):
    root.mkdir(parents=True)
    for number, (kind, source) in enumerate(sources()):
        for index in (2 * number, 2 * number + 1):
            directory = save(root, kind, source, index, rng)
            tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
            yield kind, tokenizer, directory


def released(root, rng):
    """The tokenizers of the released models, with every head."""
    version_5 = int(transformers.__version__.split(".")[0]) >= 5
    for family in ("v1", "v3"):
        files = root / f"tokenizer-{family}"
        if version_5:
            files.mkdir(parents=True)
        make_tokenizer = (pipeline_models.load_5 if version_5
                          else task_tokenizers.make)
        tokenizer = make_tokenizer(family, files)
        for head, shape in pipeline_models.SHAPES.items():
            if family == "v1" and head == "chooser":
                continue
            directory = root / f"{family}-{head}"
            pipeline_models.save(directory, family, tokenizer, rng, shape)
            yield family, tokenizer, directory
