"""The directories of the part saved_by_5: what each is made from, and how.

Shared by save_with_4.py, which writes those that 4.57 writes first, and by
saved_by_5.py, which has 5.24 save them all.
"""

import dataclasses
import pathlib
import random

from tokenizers import AddedToken

import random_models

HERE = pathlib.Path(__file__).resolve().parent
# What 5.24 loads before it saves.
SOURCES = ("tokenizer.json", "raw files", "4.57 fast", "4.57 slow")


@dataclasses.dataclass
class Case:
    name: str
    tokenizer: pathlib.Path  # saved by 4.57, with the raw files beside it
    is_v1: bool
    source: str
    head: str
    settings: dict  # of the model, without vocab_size
    options: dict  # what from_pretrained is given
    added: list
    called: dict  # with what it is called before it is saved, or empty
    as_backend: bool  # by the class that takes tokenizer.json as it is
    twice: bool  # loaded and saved once more
    written_class: str  # what replaces the saved tokenizer_class, or ""
    rng: random.Random

    def raw_files(self):
        return ("vocab.json", "merges.txt") if self.is_v1 else ("spm.model",)


def chance(rng, share):
    return rng.random() < share


def draw_options(rng, is_v1):
    options = {}
    if is_v1:
        if chance(rng, 0.3):
            options["add_prefix_space"] = True
    else:
        for name, value in (("do_lower_case", True), ("split_by_punct", True),
                            ("add_prefix_space", False)):
            if chance(rng, 0.2):
                options[name] = value
    for name in ("padding_side", "truncation_side"):
        if chance(rng, 0.2):
            options[name] = "left"
    if chance(rng, 0.3):
        options["model_max_length"] = rng.choice((16, 77, 512))
    if chance(rng, 0.25):
        options["additional_special_tokens"] = ["<special one>", "[E2]"]
    if chance(rng, 0.1):
        options["model_input_names"] = ["input_ids", "attention_mask"]
    if chance(rng, 0.1):
        options["clean_up_tokenization_spaces"] = True
    if chance(rng, 0.1):
        options |= rng.choice(({"cls_token": "<s>", "sep_token": "</s>"},
                               {"mask_token": "<mask>"}))
    return options


def draw_added(rng):
    if not chance(rng, 0.3):
        return []
    flags = {name: chance(rng, 0.4) for name in
             ("single_word", "lstrip", "rstrip", "normalized")}
    return ["word", AddedToken("the", **flags), AddedToken("<tag>", lstrip=True)]


def draw_call(rng):
    """Version 5 saves what a call last set: a trained model's directory."""
    if not chance(rng, 0.3):
        return {}
    return {"truncation": True, "max_length": rng.choice((20, 128)),
            "padding": rng.choice((False, True, "max_length"))}


def draw_class(rng, is_v1):
    """A tokenizer_class that a directory's author may have written."""
    if not chance(rng, 0.4):
        return ""
    own = "DebertaTokenizer" if is_v1 else "DebertaV2Tokenizer"
    return rng.choice((f"{own}Fast", "absent", "PreTrainedTokenizerFast",
                       "TokenizersBackend"))


def tokenizer_directories(roots):
    for root in (HERE.parent / "golden" / "tokenizers", *roots):
        yield from sorted(path for path in root.iterdir() if path.is_dir())


def cases(seed, count, roots):
    """Tokenizers take turns, and each goes through the sources and heads."""
    directories = list(tokenizer_directories(roots))
    for index in range(count):
        which, turn = index % len(directories), index // len(directories)
        directory = directories[which]
        is_v1 = not (directory / "spm.model").exists()
        rng = random_models.seeded("saved", seed, index)
        source = SOURCES[turn % len(SOURCES)]
        heads = [head for head in random_models.HEADS
                 if not (is_v1 and head == "MultipleChoice")]
        head = heads[(which + turn) % len(heads)]
        settings = random_models.random_settings(int(not is_v1), rng)
        settings |= random_models.head_settings(head, True, rng.randint(1, 6))
        as_backend = (source in ("tokenizer.json", "4.57 fast")
                      and chance(rng, 0.25))
        yield Case(
            name=f"{index:03}-{directory.name}", tokenizer=directory,
            is_v1=is_v1, source=source, head=head, settings=settings,
            options=draw_options(rng, is_v1), added=draw_added(rng),
            called=draw_call(rng), as_backend=as_backend, twice=chance(rng, 0.2),
            written_class=draw_class(rng, is_v1), rng=rng)


def prepare(tokenizer, case):
    """What its owner does between loading and saving."""
    tokenizer.add_tokens(case.added)
    if case.called:
        tokenizer(["a word", "the words of a text"], **case.called)


def save_model(directory, case, tokenizer):
    """A random one for the tokenizer's ids; returns it as read from there."""
    settings = case.settings | {
        "vocab_size": len(tokenizer) + case.rng.randint(0, 3)}
    return random_models.save(directory, settings, case.head,
                              case.rng.getrandbits(48), case.rng)


def add_arguments(parser):
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--directories", type=int, default=144)
    parser.add_argument("--tokenizers", type=pathlib.Path, nargs="*",
                        default=[])
    parser.add_argument("--sources", type=pathlib.Path, required=True)
