"""Trains the tokenizers of the golden data, as Hugging Face's files."""

import json
import os
import pathlib
import shutil
import tempfile

from golden_texts import read_texts

os.environ["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = "python"

TOKENIZERS = pathlib.Path(__file__).resolve().parents[1] / "tokenizers"
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]


def write_bpe(directory, lines, vocab_size, drop_bytes, settings, extra_tokens):
    """vocab.json and merges.txt as Microsoft's files have them: the specials
    first, [MASK] last; then what save_pretrained adds."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import DebertaTokenizerFast

    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    model.train_from_iterator(lines, trainer)
    trained = json.loads(model.to_str())["model"]
    ordered = sorted(trained["vocab"], key=trained["vocab"].get)
    ordered = [t for t in ordered if t not in drop_bytes]
    merges = [m if isinstance(m, list) else m.split(" ") for m in trained["merges"]]
    vocab = {t: i for i, t in enumerate(SPECIAL + ordered + ["[MASK]"])}
    merges = [m for m in merges if all(p in vocab for p in (*m, "".join(m)))]

    with tempfile.TemporaryDirectory() as raw:
        raw = pathlib.Path(raw)
        (raw / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
        (raw / "merges.txt").write_text(
            "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
        )
        tokenizer = DebertaTokenizerFast(
            str(raw / "vocab.json"), str(raw / "merges.txt"), **settings
        )
        save(tokenizer, directory, extra_tokens)


def write_unigram(directory, lines, trainer, settings, extra_tokens):
    import sentencepiece
    from transformers import DebertaV2TokenizerFast

    with tempfile.TemporaryDirectory() as raw:
        raw = pathlib.Path(raw)
        with open(raw / "spm.model", "wb") as file:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(lines),
                model_writer=file,
                model_type="unigram",
                pad_id=0, pad_piece="[PAD]", bos_id=1, bos_piece="[CLS]",
                eos_id=2, eos_piece="[SEP]", unk_id=3, unk_piece="[UNK]",
                num_threads=1, minloglevel=2, hard_vocab_limit=False,
                **trainer,
            )  # fmt: skip
        tokenizer = DebertaV2TokenizerFast(str(raw / "spm.model"), **settings)
        save(tokenizer, directory, extra_tokens)


def save(tokenizer, directory, extra_tokens):
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    if extra_tokens:
        tokenizer.add_tokens(extra_tokens)
    tokenizer.save_pretrained(directory)
    # Compact: the file is as valid, and half as large.
    file = directory / "tokenizer.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")))


def european(texts):
    return [t for t in texts if max(map(ord, t)) < 0x250]


def make_tokenizers():
    natural, _ = read_texts()
    make_byte_level(natural)
    make_unigram(natural)


def make_byte_level(natural):
    from tokenizers import AddedToken

    write_bpe(TOKENIZERS / "v1", natural[:3000], 3000, [], {}, [])
    write_bpe(
        TOKENIZERS / "v1-quirks",
        european(natural),
        1500,
        # Symbols of the bytes FF, E4 and 09: a text loses them.
        ["\u00ff", "\u00e4", "\u0109"],
        {"add_prefix_space": True, "model_max_length": 512},
        [
            AddedToken("<tool>", single_word=True, normalized=False),
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("<ctrl>", lstrip=True, rstrip=True, normalized=False),
        ],
    )


def make_unigram(natural):
    from tokenizers import AddedToken

    write_unigram(
        TOKENIZERS / "v3-multilingual",
        natural,
        {
            "vocab_size": 4000,
            "normalization_rule_name": "nmt_nfkc",
            "byte_fallback": True,
            "character_coverage": 0.995,
        },
        {"model_max_length": 512},
        [],
    )
    write_unigram(
        TOKENIZERS / "v2-punct",
        european(natural),
        {"vocab_size": 2000, "normalization_rule_name": "nmt_nfkc"},
        {"split_by_punct": True},
        [
            AddedToken("word", single_word=True, normalized=True),
            AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False),
        ],
    )
    write_unigram(
        TOKENIZERS / "v3-lower",
        [t.lower() for t in natural[:600] + natural[2000:4000]],
        {
            "vocab_size": 2500,
            "normalization_rule_name": "identity",
            "character_coverage": 0.98,
            "byte_fallback": True,
            "user_defined_symbols": ["<tool>"],
            "control_symbols": ["<ctrl>"],
        },
        {"do_lower_case": True, "clean_up_tokenization_spaces": True},
        [],
    )
    write_unigram(
        TOKENIZERS / "mdeberta-folded",
        natural[::2],
        {
            "vocab_size": 3000,
            "normalization_rule_name": "nmt_nfkc_cf",
            "character_coverage": 0.98,
            "remove_extra_whitespaces": False,
        },
        {},
        [],
    )
