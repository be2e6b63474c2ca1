"""Small GLiClass models with random weights, and what gliclass 0.1.16 computes."""

import json
import pathlib
import shutil

import torch
from gliclass import GLiClassModel, GLiClassModelConfig, ZeroShotClassificationPipeline
from transformers import AutoTokenizer, DebertaV2Config

ADDED = ["<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"]
VARIANTS = dict(
    gliclass_simple={},
    gliclass_normalized=dict(normalize_features=True, pooling_strategy="avg"),
    gliclass_lstm=dict(extract_text_features=True, use_lstm=True, prompt_first=True,
                       pooling_strategy="max"),
    gliclass_average=dict(class_token_pooling="average", extract_text_features=True,
                          prompt_first=True, pooling_strategy="last"),
    gliclass_average_after=dict(class_token_pooling="average",
                                embed_class_token=False, pooling_strategy="sum"),
    gliclass_mlp=dict(scorer_type="mlp", prompt_first=True, pooling_strategy="rms"),
    gliclass_weighted=dict(scorer_type="weighted-dot", embed_class_token=False,
                           pooling_strategy="abs_max"),
    gliclass_hopfield=dict(scorer_type="hopfield", prompt_first=True,
                           pooling_strategy="abs_avg"),
    gliclass_segments=dict(use_segment_embeddings=True, prompt_first=True,
                           hidden_size=48, projector_hidden_act="relu"),
)
PROMPTS = ["", "Sort it:"]


def make(name, backbone, settings):
    """A model with its tokenizer; the weights are torch's own."""
    tokenizer = AutoTokenizer.from_pretrained(backbone)
    tokenizer.add_tokens(ADDED, special_tokens=True)
    first = len(tokenizer) - len(ADDED)
    encoder = DebertaV2Config.from_pretrained(backbone).to_dict()
    model = GLiClassModel(GLiClassModelConfig(
        encoder_config=encoder, encoder_model="microsoft/deberta-v3-small",
        class_token_index=first, text_token_index=first + 1,
        example_token_index=first + 2, **settings))
    model.resize_token_embeddings(len(tokenizer))
    return model.eval(), tokenizer


def save(model, tokenizer, directory, keep_tokenizer):
    shutil.rmtree(directory, ignore_errors=True)
    model.save_pretrained(directory)
    if keep_tokenizer:
        tokenizer.save_pretrained(directory)
    path = pathlib.Path(directory) / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def prepared(model, tokenizer, text, labels, prompt):
    pipeline = ZeroShotClassificationPipeline(
        model, tokenizer, device="cpu", progress_bar=False)
    return getattr(pipeline, "pipe", pipeline).prepare_inputs(
        [text], labels, True, prompt=prompt or None)


def reading(config, ids):
    """What golden.safetensors says of a sequence, by the configuration."""
    at = [i for i, t in enumerate(ids) if t == config.class_token_index]
    separator = ids.index(config.text_token_index)
    own = 0 if config.embed_class_token else 1
    end = separator if config.extract_text_features else len(ids)
    golden = {"word_begins": [separator if config.extract_text_features else 0],
              "word_ends": [len(ids)], "labels": [a + own for a in at]}
    if config.class_token_pooling == "average":
        golden["label_ends"] = [*at[1:], end]
    if config.use_segment_embeddings:
        golden["type_ids"] = [int(i >= separator) for i in range(len(ids))]
    return golden


def golden(model, tokenizer, texts, label_lists):
    """The tensors of golden.safetensors, and the cases of classes.json."""
    values, cases = {}, []
    n = 0
    for labels in label_lists:
        for text in texts:
            for prompt in PROMPTS[:1 + (n % 2 == 0)]:
                inputs = prepared(model, tokenizer, text, labels, prompt)
                ids = inputs["input_ids"][0].tolist()
                with torch.no_grad():
                    logits = model(**inputs).logits[0].numpy()
                assert logits.shape == (len(labels),)
                one = {"input_ids": ids, "logits": logits,
                       **reading(model.config, ids)}
                values |= {f"{key}.{n}": value for key, value in one.items()}
                cases.append({"text": text, "labels": labels, "prompt": prompt,
                              "ids": ids,
                              "logits": [float(f"{x:.9g}") for x in logits]})
                n += 1
    return values, cases
