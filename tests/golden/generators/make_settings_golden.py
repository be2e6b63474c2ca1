#!/usr/bin/env python3
"""Writes settings/hf4.json or settings/hf5.json: what transformers makes of
directories whose files have other settings than DeBERTa's own: templates, sides,
names of inputs, special tokens. Which version, the running Python tells.

A case is a golden tokenizer with some of its files, changed by a few JSON
pointers (or, for spellings that only Python writes, by a text); the C++ test
makes the same directory. Encodings are ids, types, special tokens mask, starts
and ends of offsets.
"""

import json
import shutil
import tempfile
from pathlib import Path

import transformers

from golden_tokenizers import TOKENIZERS

OUT = Path(__file__).resolve().parents[1] / "settings"

TEXTS = [
    ("Hello  world", None),
    (" leading and trailing ", None),
    ("\tNaïve ½ ﬁne\n", None),
    ("a [MASK] b[SEP]c [UNK]", None),
    ("x", "y"),
    (" Who  won?", "They did, in 1998. "),
    ("[CLS] typed", "and [PAD] too"),
]


def special(name, type_id=0):
    return {"SpecialToken": {"id": name, "type_id": type_id}}


def text(name, type_id=0):
    return {"Sequence": {"id": name, "type_id": type_id}}


def template(single, pair, ids=None):
    ids = ids or {"[CLS]": [1], "[SEP]": [2]}
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": pair,
        "special_tokens": {
            name: {"id": name, "ids": numbers, "tokens": [name] * len(numbers)}
            for name, numbers in ids.items()
        },
    }


CLS, SEP = special("[CLS]"), special("[SEP]")
A, B = text("A"), text("B")
PLAIN = [CLS, A, SEP]
TEMPLATES = {
    "types_all_0": template(PLAIN, [CLS, A, SEP, B, SEP]),
    "two_separators": template(PLAIN, [CLS, A, SEP, SEP, B, SEP]),
    "second_text_first": template(PLAIN, [CLS, text("B", 1), SEP, A, SEP]),
    "no_cls": template([A, SEP], [A, SEP, text("B", 1), special("[SEP]", 1)]),
    "odd_types": template([special("[CLS]", 1), text("A", 1), SEP], [CLS, text("A", 1), SEP, B, special("[SEP]", 1)]),
    "two_ids": template(PLAIN, [CLS, A, SEP, B, SEP], {"[CLS]": [1, 3], "[SEP]": [2, 2]}),
    "bert": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
}
for trims in (True, False):
    for prefix in (True, False):
        TEMPLATES[f"roberta_trims_{trims}_prefix_{prefix}"] = {
            "type": "RobertaProcessing",
            "sep": ["[SEP]", 2],
            "cls": ["[CLS]", 1],
            "trim_offsets": trims,
            "add_prefix_space": prefix,
        }
        byte_level = {
            "type": "ByteLevel",
            "add_prefix_space": prefix,
            "trim_offsets": trims,
            "use_regex": True,
        }
        for name, steps in (
            ("before", [byte_level, TEMPLATES["types_all_0"]]),
            ("after", [TEMPLATES["types_all_0"], byte_level]),
        ):
            TEMPLATES[f"byte_level_{name}_trims_{trims}_prefix_{prefix}"] = {
                "type": "Sequence",
                "processors": steps,
            }

CONFIG = "tokenizer_config.json"
FILE = "tokenizer.json"
MAP = "special_tokens_map.json"
# What only Python writes into JSON.
INFINITY = '{"model_max_length": Infinity, "unused": [NaN, -Infinity]}'


def added(content, **attributes):
    return {"__type": "AddedToken", "content": content, "lstrip": False, "rstrip": False,
            "single_word": False, "normalized": False, "special": True} | attributes


def settings():
    """(name, changes by file, files left out) for one tokenizer."""
    for name, value in TEMPLATES.items():
        yield name, {FILE: {"/post_processor": value}}, []
    yield "no_token_type_ids", {CONFIG: {"/model_input_names": ["input_ids", "attention_mask"]}}, []
    yield "token_type_ids", {CONFIG: {"/model_input_names": ["input_ids", "token_type_ids"]}}, []
    for side in ("left", "right"):
        yield f"sides_{side}", {CONFIG: {"/padding_side": side, "/truncation_side": side}}, []
    blocks = {
        "/truncation": {"direction": "Left", "max_length": 5, "strategy": "LongestFirst", "stride": 0},
        "/padding": {
            "strategy": "BatchLongest",
            "direction": "Left",
            "pad_to_multiple_of": None,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "[PAD]",
        },
    }
    yield "sides_in_the_file", {FILE: blocks}, []
    yield "sides_in_both", {FILE: blocks, CONFIG: {"/padding_side": "right"}}, []
    yield "split_special_tokens", {CONFIG: {"/split_special_tokens": True}}, []
    yield "no_limit", {CONFIG: {"/model_max_length": -1}}, []
    yield "python_numbers", {CONFIG: INFINITY}, []
    yield "empty_special_token", {CONFIG: {"/additional_special_tokens": [""]}}, []
    yield "both_lists", {CONFIG: {"/additional_special_tokens": ["lo"], "/extra_special_tokens": ["won"]}}, []
    yield "old_list", {CONFIG: {"/additional_special_tokens": ["lo"], "/extra_special_tokens": []}}, []
    yield "list_of_the_map", {MAP: {"/additional_special_tokens": ["lo"]}}, []
    yield "raw_list_of_the_map", {MAP: {"/additional_special_tokens": ["lo"]}}, [FILE]
    yield "raw_empty_list", {CONFIG: {"/additional_special_tokens": []}}, [FILE]
    yield "one_twice", {CONFIG: {"/additional_special_tokens": ["lo", added("lo", lstrip=True)]}}, []
    yield "one_thrice", {CONFIG: {"/additional_special_tokens": [added("lo", lstrip=True), "lo", added("lo", rstrip=True)]}}, []
    yield "there_already", {CONFIG: {"/additional_special_tokens": [added("[UNK]", lstrip=True)]}}, []
    yield "named_twice", {CONFIG: {"/sep_token": added("[SEP]", lstrip=True), "/eos_token": added("[SEP]", rstrip=True)}}, [FILE]
    yield "mask_as_object", {CONFIG: json.dumps({"mask_token": added("[MASK]")})}, [FILE, MAP]
    not_special = added("lo", special=False, normalized=True)
    yield "not_special", {CONFIG: {"/additional_special_tokens": [not_special], "/split_special_tokens": True}}, []
    yield "own_tokens", {CONFIG: {"/model_specific_special_tokens": {"a_token": "lo"}, "/b_token": "won"}}, []
    yield "own_map", {CONFIG: {"/model_specific_special_tokens": {"a_token": "lo"}}}, []
    yield "no_cls", {CONFIG: {"/cls_token": None}}, []
    yield "other_cls", {CONFIG: {"/cls_token": "[PAD]", "/sep_token": "[UNK]"}}, []
    yield "generic_class", {CONFIG: {"/tokenizer_class": "PreTrainedTokenizerFast"}}, []
    yield "prefix_space", {CONFIG: {"/add_prefix_space": True}}, []
    yield "file_alone", {}, [CONFIG, "special_tokens_map.json", "added_tokens.json"]
    yield "raw_files", {}, [FILE]
    yield "raw_files_alone", {}, [FILE, CONFIG, "special_tokens_map.json", "added_tokens.json"]


def make_directory(base, changes, left_out, directory):
    shutil.copytree(TOKENIZERS / base, directory, dirs_exist_ok=True)
    for name in left_out:
        (directory / name).unlink(missing_ok=True)
    family = "deberta" if base.startswith("v1") else "deberta-v2"
    config = {"model_type": family, "transformers_version": transformers.__version__}
    (directory / "config.json").write_text(json.dumps(config))
    for name, change in changes.items():
        path = directory / name
        if isinstance(change, str):
            path.write_text(change)
            continue
        value = json.loads(path.read_text())
        for pointer, part in change.items():
            value[pointer.removeprefix("/")] = part
        path.write_text(json.dumps(value))


def encode(tokenizer, one, two):
    encoded = tokenizer(one, two, return_offsets_mapping=True, return_special_tokens_mask=True)
    ids = encoded["input_ids"]
    return [
        ids,
        # What a model reads that is given none.
        list(encoded.get("token_type_ids") or [0] * len(ids)),
        encoded["special_tokens_mask"],
        [span[0] for span in encoded["offset_mapping"]],
        [span[1] for span in encoded["offset_mapping"]],
    ]


def main():
    version = transformers.__version__
    answers = []
    for base in ("v1", "v3-multilingual"):
        for name, changes, left_out in settings():
            case = {"name": name, "base": base, "changes": changes, "left_out": left_out}
            with tempfile.TemporaryDirectory() as directory:
                make_directory(base, changes, left_out, Path(directory))
                try:
                    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
                except Exception as error:  # the reference refuses it
                    print(base, name, "refused:", type(error).__name__, str(error)[:100])
                    continue
                case["padding_side"] = tokenizer.padding_side
                case["truncation_side"] = tokenizer.truncation_side
                case["cls_id"] = tokenizer.cls_token_id
                case["encodings"] = [encode(tokenizer, *pair) for pair in TEXTS]
            answers.append(case)
    OUT.mkdir(exist_ok=True)
    path = OUT / f"hf{version.split('.')[0]}.json"
    path.write_text(
        json.dumps({"transformers": version, "texts": TEXTS, "cases": answers}, ensure_ascii=False)
        + "\n"
    )
    print(path.name, len(answers), "cases")


if __name__ == "__main__":
    main()
