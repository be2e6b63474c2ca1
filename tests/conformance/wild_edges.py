"""Stand-ins for long texts and for the small things that people meet.

make(root) yields (row, name) of each directory below root, with expected.json
as wild_answers.py has it. refusals(root) yields (name, pattern of the message).
"""

import json
import pathlib
import shutil

import torch
import transformers

import random_tokenizer
from make_model_golden import randomize

VERSION_5 = int(transformers.__version__.split(".")[0]) >= 5
TEXTS = ["a tiny one", "Is it good to be here or there?", "no"]
LONG = (1188, 4096)
NLI = ["contradiction", "neutral", "entailment"]
V3 = dict(vocab_size=120, hidden_size=32, num_hidden_layers=2,
          num_attention_heads=4, intermediate_size=48, position_buckets=256,
          max_position_embeddings=512, relative_attention=True,
          position_biased_input=False, pos_att_type="p2c|c2p",
          share_att_key=True, norm_rel_ebd="layer_norm")
V1 = {key: value for key, value in V3.items()
      if key not in ("position_buckets", "share_att_key", "norm_rel_ebd")}
BYTE_LEVEL = 400  # tokens of its vocabulary


def numbers(tensor):
    return tensor.double().flatten().tolist()


def write_json(path, **keys):
    old = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(old | keys, indent=1) + "\n")


def save(root, name, head="SequenceClassification", v1=False, labels=None,
         **settings):
    """The model as read back, and its tokenizer."""
    directory = root / name
    labels = labels or ["no", "yes", "maybe"]
    settings = (V1 if v1 else V3) | dict(
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)}) | settings
    if v1:
        settings["vocab_size"] = BYTE_LEVEL
    prefix = "Deberta" if v1 else "DebertaV2"
    config = getattr(transformers, prefix + "Config")(**settings)
    kind = getattr(transformers, f"{prefix}For{head}" if head else f"{prefix}Model")
    model = kind(config).eval()
    randomize(model, torch.Generator().manual_seed(sum(name.encode())))
    model.save_pretrained(directory)
    if v1:
        random_tokenizer.write_byte_level_bpe(directory, BYTE_LEVEL)
    else:
        random_tokenizer.write_unigram(directory, 119)
    return model, transformers.AutoTokenizer.from_pretrained(str(directory))


@torch.no_grad()
def classified(model, tokenizer, texts):
    cases = []
    for text in texts:
        logits = model(**tokenizer(text, return_tensors="pt")).logits[0]
        cases.append(dict(text=text, logits=numbers(logits),
                          scores=numbers(logits.softmax(-1))))
    return cases


@torch.no_grad()
def classified_exactly(model, tokenizer, text):
    """In fp64, and how far the model in fp32 is from that. Leaves it in fp64."""
    inputs = tokenizer(text, return_tensors="pt")
    rounded = model(**inputs).logits[0].double()
    exact = model.double()(**inputs).logits[0]
    error = (rounded - exact).abs().max() / exact.abs().max()
    return dict(text=text, logits=numbers(exact), own_error=float(error))


def text_of(tokenizer, count):
    """A text of so many tokens with the special ones."""
    def tokens(words):
        return len(tokenizer(" ".join(words))["input_ids"])
    some = ["a", "ten", "one", "of", "it"]
    words = some * (count // tokens(some))
    # Each is a token of its own, in both vocabularies.
    text = " ".join(words) + "!" * (count - tokens(words))
    assert len(tokenizer(text)["input_ids"]) == count
    return text


def long_texts(root):
    for v1 in (False, True):
        for count in LONG:
            name = f"long-{'v1' if v1 else 'v3'}-{count}"
            model, tokenizer = save(root, name, v1=v1)
            write_json(root / name / "deberta.json", max_tokens=4096)
            text = text_of(tokenizer, count)
            expected = dict(model=dict(max_tokens=4096),
                            long=[classified_exactly(model, tokenizer, text)])
            if count == LONG[0]:
                inputs = tokenizer(text, return_tensors="pt")
                with torch.no_grad():
                    states = model(**inputs, output_hidden_states=True).hidden_states
                expected["layers"] = [dict(text=text, states=[
                    state[0].double().tolist() for state in states])]
            write_json(root / name / "expected.json", **expected)
            yield f"longer texts: {count} tokens", name


def zero_shot_case(root, name, text, labels):
    """What the pipeline says of a copy whose labels are named."""
    named = root.parent / f"{name}-named"
    shutil.copytree(root / name, named)
    write_json(named / "config.json", id2label=dict(enumerate(NLI)),
               label2id={label: i for i, label in enumerate(NLI)})
    found = transformers.pipeline("zero-shot-classification", model=str(named),
                                  device="cpu")(text, candidate_labels=labels)
    shutil.rmtree(named)
    return dict(text=text, labels=labels,
                scores=dict(zip(found["labels"], found["scores"])))


def small_things(root):
    row = "small things"
    _, _ = save(root, "entailment-named", labels=["LABEL_0", "LABEL_1", "LABEL_2"])
    write_json(root / "entailment-named/deberta.json", entailment="LABEL_2")
    write_json(root / "entailment-named/expected.json", zero_shot=[
        zero_shot_case(root, "entailment-named", text, ["one", "ten of it", "no"])
        for text in TEXTS])
    yield row, "entailment-named"
    for name, v1, settings in (
            ("p2p-v3", False, dict(pos_att_type="c2p|p2c|p2p")),
            ("p2p-v1", True, dict(pos_att_type="c2p|p2c|p2p")),
            ("p2p-alone", False, dict(pos_att_type="p2p|c2p"))):
        model, tokenizer = save(root, name, v1=v1, **settings)
        write_json(root / name / "expected.json",
                   classify=classified(model, tokenizer, TEXTS))
        yield row, name
    # The mask's id, 119, is beyond the vocabulary.
    model, tokenizer = save(root, "mask-beyond", vocab_size=119)
    write_json(root / "mask-beyond/expected.json",
               classify=classified(model, tokenizer, TEXTS),
               refused_inputs=[dict(text="a [MASK] one", says="119")])
    yield row, "mask-beyond"
    model, tokenizer = save(root, "token-beyond")
    tokenizer.add_tokens(["<new>", "<newer>"])
    tokenizer.save_pretrained(root / "token-beyond")
    write_json(root / "token-beyond/expected.json",
               classify=classified(model, tokenizer, TEXTS),
               refused_inputs=[dict(text="a <newer> one", says="121")])
    yield row, "token-beyond"
    model, tokenizer = save(root, "no-architectures")
    config = root / "no-architectures/config.json"
    config.write_text(json.dumps({
        key: value for key, value in json.loads(config.read_text()).items()
        if key != "architectures"}))
    write_json(root / "no-architectures/expected.json",
               classify=classified(model, tokenizer, TEXTS))
    yield row, "no-architectures"


def make(root):
    root.mkdir(parents=True, exist_ok=True)
    yield from long_texts(root)
    yield from small_things(root)


def edit(path, change):
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def put(directory, name, text):
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def set_config(**keys):
    return lambda d: edit(d / "config.json", lambda c: c.update(keys))


def set_tokenizer(part, value):
    """By the class for which version 5 reads the part at all."""
    def change(d):
        edit(d / "tokenizer.json", lambda t: t.update({part: value}))
        edit(d / "tokenizer_config.json", lambda c: c.update(
            tokenizer_class="PreTrainedTokenizerFast"))
    return change


def japanese(**keys):
    def change(d):
        (d / "tokenizer.json").unlink()
        put(d, "vocab.txt", "\n".join(random_tokenizer.SPECIAL + ["[MASK]"]) + "\n")
        edit(d / "tokenizer_config.json", lambda c: c.update(
            {"tokenizer_class": "BertJapaneseTokenizer"} | keys))
    return change


def only_onnx(d):
    (d / "model.safetensors").unlink()
    put(d, "onnx/model.onnx", "onnx")


def split(pattern):
    return set_tokenizer("pre_tokenizer", {
        "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated",
        "invert": False})


# What is wrong, and what the message says of it: the thing, what was expected,
# and what can be done.
REFUSED = {
    "onnx": (only_onnx, r"no weights.*ONNX graph.*is not read"),
    "adapter": (lambda d: put(d, "adapter_config.json", "{}"), r"adapter.*merge"),
    "quantized": (set_config(quantization_config={"quant_method": "bitsandbytes"}),
                  r"quantization_config"),
    "own code": (set_config(auto_map={"AutoModel": "modeling.Mine"}),
                 r'auto_map.*modeling\.Mine.*"head" in deberta\.json'),
    "own head": (set_config(architectures=["OursForEverything"]),
                 r'OursForEverything.*"head" in deberta\.json'),
    "other model": (set_config(model_type="bert"), r"model_type"),
    "MeCab": (japanese(word_tokenizer_type="mecab"),
              r'word_tokenizer_type: expected "basic".*"do_word_tokenize": false.*mecab'),
    "Sudachi": (japanese(word_tokenizer_type="sudachi"),
                r'expected "basic".*sudachi'),
    "SentencePiece of Japanese": (
        japanese(subword_tokenizer_type="sentencepiece"),
        r'subword_tokenizer_type: expected "character" or "wordpiece"'),
    "look-ahead": (split(r"a(?=b)|\s+"), r"look-ahead.*is not supported"),
    "look-behind": (split(r"(?<=a)b"), r"look-behind.*is not supported"),
    "a normalizer": (set_tokenizer("normalizer", {"type": "Mystery"}),
                     r"normalizer.*expected.*Mystery"),
    "a tokenizer's code": (
        lambda d: edit(d / "tokenizer_config.json", lambda c: c.update(
            auto_map={"AutoTokenizer": ["t.Mine", None]})),
        r"own code is not run.*t\.Mine"),
    "another tokenizer": (
        lambda d: edit(d / "tokenizer_config.json", lambda c: c.update(
            tokenizer_class="RobertaTokenizer")),
        r"tokenizer_class: expected DebertaTokenizer.*RobertaTokenizer"),
    "an activation": (
        set_config(sentence_transformers={
            "activation_fn": "torch.nn.modules.activation.GELU"}),
        r"activation\.GELU.*\"function\""),
    "an entailment": (lambda d: put(d, "deberta.json", '{"entailment": "perhaps"}'),
                      r"one of the model's labels"),
    "a head": (lambda d: put(d, "deberta.json", '{"head": {"pooling": "sum", '
                             '"outputs": [{"linear": "classifier"}]}}'),
               r"head\.pooling: expected first, last, mean"),
    "a module": (lambda d: put(d, "modules.json", json.dumps([
        {"idx": 0, "name": "0", "path": "",
         "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_LSTM",
         "type": "sentence_transformers.models.LSTM"}])), r"LSTM"),
}


def refusals(root):
    """Directories that stop the start: (name, directory, pattern)."""
    root.mkdir(parents=True, exist_ok=True)
    save(root, "source")
    for name, (change, pattern) in REFUSED.items():
        directory = pathlib.Path(root) / name.replace(" ", "-")
        shutil.copytree(root / "source", directory)
        change(directory)
        yield name, directory, pattern
