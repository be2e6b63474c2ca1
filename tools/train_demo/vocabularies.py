"""Tokenizer stage: a byte-level BPE (v1) and a SentencePiece Unigram (v3).

Both directories are written by transformers' own fast tokenizers, so they
hold exactly the files that a published checkpoint holds.
"""

import json

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
import tokenizers
from transformers import DebertaTokenizerFast, DebertaV2TokenizerFast

import archive
import records

VOCABULARY = 8000
MAX_LENGTH = 512


def corpus(work, with_records):
    for record in archive.load(work, "train"):
        yield archive.description(record)
        if with_records:
            yield records.render(record)


def train_bpe(work, directory):
    bpe = tokenizers.ByteLevelBPETokenizer(add_prefix_space=False)
    bpe.train_from_iterator(
        corpus(work, False), vocab_size=VOCABULARY - 1, min_frequency=2,
        show_progress=False,
        special_tokens=["[PAD]", "[CLS]", "[SEP]", "[UNK]"])
    state = json.loads(bpe.to_str())["model"]
    vocabulary = state["vocab"] | {"[MASK]": len(state["vocab"])}
    merges = [" ".join(m) if isinstance(m, list) else m
              for m in state["merges"]]
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "vocab.json").write_text(
        json.dumps(vocabulary, ensure_ascii=False))
    (directory / "merges.txt").write_text(
        "#version: 0.2\n" + "\n".join(merges) + "\n")
    DebertaTokenizerFast(
        str(directory / "vocab.json"), str(directory / "merges.txt"),
        model_max_length=MAX_LENGTH).save_pretrained(directory)


def train_unigram(work, directory):
    directory.mkdir(parents=True, exist_ok=True)
    with open(work / "unigram.txt", "w") as out:
        for text in corpus(work, True):
            for line in text.split("\n"):
                out.write(line + "\n")
    sentencepiece.set_random_generator_seed(0)
    sentencepiece.SentencePieceTrainer.train(
        input=str(work / "unigram.txt"),
        model_prefix=str(directory / "spm"), model_type="unigram",
        vocab_size=VOCABULARY, character_coverage=0.9995,
        normalization_rule_name="nmt_nfkc", byte_fallback=True,
        input_sentence_size=150000, shuffle_input_sentence=True,
        max_sentence_length=2000, num_threads=2,
        pad_id=0, bos_id=1, eos_id=2, unk_id=3, pad_piece="[PAD]",
        bos_piece="[CLS]", eos_piece="[SEP]", unk_piece="[UNK]",
        minloglevel=2)
    (directory / "spm.vocab").unlink()
    forget_paths(directory / "spm.model")
    DebertaV2TokenizerFast(
        str(directory / "spm.model"), do_lower_case=False,
        model_max_length=MAX_LENGTH).save_pretrained(directory)


def forget_paths(path):
    """The trainer writes the names of its files into the model."""
    model = sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes())
    model.trainer_spec.ClearField("input")
    model.trainer_spec.ClearField("model_prefix")
    path.write_bytes(model.SerializeToString())


def run(work, say):
    say("tokenizer: byte-level BPE")
    train_bpe(work, work / "tokenizer-v1")
    say("tokenizer: SentencePiece Unigram")
    train_unigram(work, work / "tokenizer-v3")
    for name in ("v1", "v3"):
        fast = load(work, name)
        say(f"tokenizer {name}: {len(fast)} pieces; "
            f"{fast.tokenize('an HTML parser written in Python')}")


def load(work, name):
    kind = DebertaTokenizerFast if name == "v1" else DebertaV2TokenizerFast
    return kind.from_pretrained(work / f"tokenizer-{name}")
