"""The pipelines of make_task_golden.py, with a hash in place of the network."""

import warnings

import numpy as np
import torch
import transformers
from transformers.modeling_outputs import (
    BaseModelOutput, MaskedLMOutput, QuestionAnsweringModelOutput,
    SequenceClassifierOutput, TokenClassifierOutput)

MASK64 = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK64
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK64
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK64
    return x ^ (x >> 31)


def digest(ids):
    """32 bits that tell the ids of a sequence."""
    state = 0
    for token in ids:
        state = mix(state ^ int(token))
    return state >> 32


def fake_logits(seed, ids, rows, width, scale, bonus=0.0):
    """[rows, width] in [-8, 8) * scale, exact in fp32.

    With `bonus`, one column of every three rows is raised by it, so that labels
    come in runs.
    """
    state = seed
    for token in ids:
        state = mix(state ^ int(token))
    out = np.zeros((len(rows), width), np.float32)
    for i, row in enumerate(rows):
        for column in range(width):
            bits = mix((state + row * 1000003 + column) & MASK64) >> 44
            out[i, column] = (bits - (1 << 19)) / 65536 * scale
        if bonus:
            out[i, mix(state ^ (row // 3)) % width] += bonus
    return out


class Oracle:
    """A pipeline whose model is fake_logits(), and what it was asked."""

    def __init__(self, task, name, tokenizer, **config):
        tiny = dict(vocab_size=len(tokenizer) + 3, hidden_size=8,
                    num_hidden_layers=1, num_attention_heads=1,
                    intermediate_size=8, **config)
        head = {"text-classification": "SequenceClassification",
                "token-classification": "TokenClassification",
                "question-answering": "QuestionAnswering",
                "zero-shot-classification": "SequenceClassification",
                "multiple-choice": "MultipleChoice",
                "fill-mask": "MaskedLM"}[task]
        prefix = "Deberta" if name == "v1" else "DebertaV2"
        self.config = getattr(transformers, prefix + "Config")(**tiny)
        self.model = getattr(transformers, f"{prefix}For{head}")(self.config)
        self.task = task
        self.seed = 0
        self.sequences = []
        self.tokenizer = tokenizer
        if task == "multiple-choice":
            self.replace_body()
            return
        self.model.forward = self.forward
        self.pipe = transformers.pipeline(task, model=self.model,
                                          tokenizer=tokenizer, device="cpu")

    def ask(self, seed, *args, **kwargs):
        self.seed = seed
        self.sequences = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.pipe(*args, **kwargs)

    def digests(self):
        return [digest(ids) for ids in self.sequences]

    def replace_body(self):
        """The class's own forward, over rows that hold the fake logit."""
        self.model.deberta.forward = self.hidden
        self.model.pooler.forward = lambda hidden: hidden[:, 0, :1]
        self.model.classifier = torch.nn.Identity()
        self.model.eval()

    def hidden(self, input_ids, attention_mask=None, **_):
        rows = torch.zeros(*input_ids.shape, 8)
        for i, mask in enumerate(attention_mask):
            ids = input_ids[i][mask == 1].tolist()
            self.sequences.append(ids)
            rows[i, 0, 0] = float(fake_logits(self.seed, ids, [0], 1, 0.5)[0, 0])
        return BaseModelOutput(last_hidden_state=rows)

    def choose(self, seed, text, choices, limit):
        """Logits of the choices, [choices]."""
        self.seed = seed
        self.sequences = []
        inputs = self.tokenizer(
            [text] * len(choices), choices, truncation=True, max_length=limit,
            padding=True, return_tensors="pt")
        with torch.no_grad():
            return self.model(**{key: value[None] for key, value
                                 in inputs.items()}).logits[0]

    def logits(self, ids, width, scale, bonus=0.0):
        return fake_logits(self.seed, ids, range(len(ids)), width, scale, bonus)

    def forward(self, input_ids=None, attention_mask=None, **_):
        ids = input_ids[0][attention_mask[0] == 1].tolist()
        self.sequences.append(ids)
        if self.task in ("text-classification", "zero-shot-classification"):
            row = fake_logits(self.seed, ids, [0], self.config.num_labels, 0.5)
            return SequenceClassifierOutput(logits=torch.tensor(row))
        if self.task == "token-classification":
            rows = np.zeros((input_ids.shape[1], self.config.num_labels),
                            np.float32)
            rows[:len(ids)] = self.logits(ids, self.config.num_labels, 0.25, 3.0)
            return TokenClassifierOutput(logits=torch.tensor(rows)[None])
        if self.task == "question-answering":
            rows = torch.tensor(self.logits(ids, 2, 0.5))
            return QuestionAnsweringModelOutput(
                start_logits=rows[None, :, 0], end_logits=rows[None, :, 1])
        rows = np.zeros((len(ids), self.config.vocab_size), np.float32)
        masks = [i for i, token in enumerate(ids)
                 if token == self.pipe.tokenizer.mask_token_id]
        rows[masks] = fake_logits(self.seed, ids, masks,
                                  self.config.vocab_size, 0.5)
        return MaskedLMOutput(logits=torch.tensor(rows)[None])
