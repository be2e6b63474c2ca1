"""Random cross-encoders of one label, and how CrossEncoder.rank orders documents."""

import itertools
import random

import random_tokenizer
import torch
from sentence_transformers import CrossEncoder

import label_models
import random_models

REFERENCE = "sentence-transformers 5.1.2"
PIECES = 360  # of either tokenizer
DOCUMENTS = 9


def make(index, seed, scratch):
    """A directory that transformers wrote; v1 and v2 take turns."""
    rng = random.Random(f"{seed} rerank {index}")
    settings = random_models.random_settings(index, rng) | dict(
        vocab_size=PIECES + 1, type_vocab_size=rng.choice((0, 2)),
        max_position_embeddings=512, num_labels=1)
    settings.pop("embedding_size", None)
    directory = scratch / f"rerank_{index:02}"
    model = random_models.model_class(settings, "SequenceClassification")(
        random_models.make_config(settings)).eval()
    random_models.randomize(
        model, torch.Generator().manual_seed(rng.getrandbits(48)))
    model.save_pretrained(directory)
    write = (random_tokenizer.write_byte_level_bpe, random_tokenizer.write_unigram)
    if index % 2 == 0:
        write[0](directory, PIECES + 1)
    else:
        write[1](directory, PIECES)
    return directory, rng


def cases(directory, rng, count=12):
    """(query, documents, {raw: [[index, score]]} as rank() gives it)."""
    encoder = CrossEncoder(str(directory), device="cpu", local_files_only=True)
    for _ in range(count):
        query, *documents = label_models.random_texts(rng, 1 + DOCUMENTS)
        rng.shuffle(documents)
        ranked = {}
        for raw, function in ((True, torch.nn.Identity()),
                              (False, torch.nn.Sigmoid())):
            ranked[raw] = [[r["corpus_id"], float(r["score"])] for r in
                           encoder.rank(query, documents, batch_size=1,
                                        activation_fn=function)]
        if all(a[1] - b[1] > 1e-6 for a, b in
               itertools.pairwise(ranked[False])):
            yield query, documents, ranked
