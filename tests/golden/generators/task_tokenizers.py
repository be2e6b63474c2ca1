"""The two small tokenizers of make_task_golden.py."""

import json
import pathlib
import shutil
import tempfile

import sentencepiece
import tokenizers
import transformers

CORPUS = """
The old lighthouse keeper, Marta Lindqvist, walked down to the harbour at dawn.
Paris is the capital of France, and Berlin is the capital of Germany.
In 1994 the Northwind Company moved its offices from Oslo to Lisbon.
She said: "We don't know who's there, but they'll come back tomorrow."
Water boils at 100 degrees; it freezes at 0 degrees (at sea level).
The cat sat on the mat while the dog slept under the table.
Dr. Ahmed Khan works for Contoso Ltd. in New York and San Francisco.
Prices rose by 3.5% in May, then fell again in June and July.
Who wrote the letter? Where was it found? When did the ship arrive?
Great films are rare, terrible films are common, and most are average.
The river flows north through the valley to the sea near the old town.
Übermäßig große Häuser stehen in München, Zürich und Göteborg.
"""

# Map of the v3 tokenizer's normaliser: one code point to none, one or several.
RULES = {0x00A0: " ", 0x3000: " ", 0x2026: "...", 0x00BD: "1/2", 0xFF21: "A",
         0xFB01: "fi", 0x200B: " ", 0x00AD: ""}


def train_v1(directory):
    """vocab.json and merges.txt with the released files' special tokens."""
    bpe = tokenizers.ByteLevelBPETokenizer()
    bpe.train_from_iterator(
        CORPUS.splitlines(), vocab_size=560, min_frequency=2,
        show_progress=False,
        special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"])
    bpe.save_model(str(directory))
    path = pathlib.Path(directory, "vocab.json")
    vocab = json.loads(path.read_text())
    vocab["[MASK]"] = len(vocab)
    path.write_text(json.dumps(vocab))


def train_v3(directory):
    """spm.model with the released files' special tokens."""
    with tempfile.TemporaryDirectory() as scratch:
        rules = pathlib.Path(scratch, "rules.tsv")
        rules.write_text("".join(
            f"{source:X}\t{' '.join(f'{ord(c):X}' for c in target)}\n"
            for source, target in RULES.items()))
        corpus = pathlib.Path(scratch, "corpus.txt")
        corpus.write_text(CORPUS.strip())
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus), model_prefix=f"{directory}/spm", vocab_size=330,
            hard_vocab_limit=False, normalization_rule_tsv=str(rules),
            pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]",
            bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]",
            byte_fallback=False, minloglevel=2, num_threads=1)


def make_v1(directory):
    """A byte-level BPE tokenizer."""
    with tempfile.TemporaryDirectory() as scratch:
        train_v1(scratch)
        transformers.DebertaTokenizerFast(
            vocab_file=f"{scratch}/vocab.json",
            merges_file=f"{scratch}/merges.txt").save_pretrained(directory)


def make_v3(directory):
    """A Unigram tokenizer."""
    with tempfile.TemporaryDirectory() as scratch:
        train_v3(scratch)
        transformers.DebertaV2TokenizerFast(
            vocab_file=f"{scratch}/spm.model").save_pretrained(directory)


def make(name, directory):
    """Writes and loads "v1" or "v3": tokenizer.json and its configuration."""
    shutil.rmtree(directory, ignore_errors=True)
    (make_v1 if name == "v1" else make_v3)(directory)
    for path in directory.iterdir():
        if path.name not in ("tokenizer.json", "tokenizer_config.json"):
            path.unlink()
    kind = (transformers.DebertaTokenizerFast if name == "v1"
            else transformers.DebertaV2TokenizerFast)
    return kind.from_pretrained(directory)
