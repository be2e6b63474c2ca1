"""The models of tests/golden/label_heads with the tokenizer that most of them lack."""

import json
import pathlib
import shutil

import random_tokenizer

MODELS = pathlib.Path(__file__).resolve().parents[1] / "label_heads"
PIECES = 240
# After [MASK].
ADDED = {"gliner": ["[FLERT]", "<<ENT>>", "<<SEP>>"],
         "gliclass": ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"],
         "gliner2": ["[SEP_STRUCT]", "[SEP_TEXT]", "[P]", "[C]", "[E]", "[R]", "[L]",
                     "[EXAMPLE]", "[OUTPUT]", "[DESCRIPTION]"]}


def write_tokenizer(directory, added):
    random_tokenizer.write_unigram(directory, PIECES)
    path = pathlib.Path(directory) / "tokenizer.json"
    document = json.loads(path.read_text())
    document["added_tokens"] += [
        {"id": PIECES + 1 + i, "content": token, "single_word": False,
         "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, token in enumerate(added)]
    path.write_text(json.dumps(document, ensure_ascii=False))


def copy(name, directory):
    """A directory that can be served, and loaded by the package."""
    directory = pathlib.Path(directory)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for path in (MODELS / name).iterdir():
        if path.is_dir():
            shutil.copytree(path, directory / path.name)
        elif path.name != "golden.safetensors":
            shutil.copy(path, directory)
    if not (directory / "tokenizer.json").exists():
        write_tokenizer(directory, ADDED[name.split("_")[0]])
    return directory
