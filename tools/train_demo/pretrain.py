"""Pretraining stage: masked-language modelling of one backbone."""

import json
import random

import numpy
import torch
from torch.nn import functional as F

import archive
import loop
import records
import shapes
import vocabularies
from network import Network

LENGTH = 128          # pieces of one training chunk, [CLS] and [SEP] included
MASKED = 0.18
RECORD_SHARE = 0.35   # of the v3 texts: control records before descriptions
EMBEDDING_SCALE = 0.03
RATE, TOKENS = 2e-3, 2048  # learning rate; padded tokens of one step
CLS, SEP, FIRST_PIECE = 1, 2, 4


def texts(work, name, split):
    rng = random.Random(1)
    for record in archive.load(work, split):
        if name == "v3" and rng.random() < RECORD_SHARE:
            yield records.render(record)
        else:
            yield archive.description(record)


def chunks(tokenizer, documents):
    """Token arrays of at most LENGTH, each between [CLS] and [SEP]."""
    encoded = tokenizer._tokenizer.encode_batch(
        list(documents), add_special_tokens=False)
    found = []
    for ids in (e.ids for e in encoded):
        for start in range(0, len(ids), LENGTH - 2):
            part = ids[start:start + LENGTH - 2]
            if len(part) >= 8:
                found.append(numpy.array([CLS, *part, SEP], dtype=numpy.int32))
    return found


def mask_tokens(ids, real, mask_id, vocabulary):
    """Masked copy and flat positions to predict: 85% [MASK], 7% random."""
    open_to_mask = real & (ids >= FIRST_PIECE)
    chosen = open_to_mask & (torch.rand(ids.shape) < MASKED)
    draw = torch.rand(ids.shape)
    masked = torch.where(chosen & (draw < 0.85), mask_id, ids)
    noise = torch.randint(FIRST_PIECE, vocabulary, ids.shape)
    masked = torch.where(chosen & (draw > 0.93), noise, masked)
    return masked, torch.nonzero(chosen.flatten())[:, 0]


def piece_counts(rows, vocabulary):
    return numpy.bincount(numpy.concatenate(rows), minlength=vocabulary)


def neighbour_embeddings(rows, vocabulary, width, reach=4):
    """Word vectors to start from: SVD of the neighbours' positive PMI.

    Minutes of training would only find again what counting gives at once.
    """
    counts = numpy.zeros(vocabulary * vocabulary, dtype=numpy.float32)
    stream = numpy.concatenate(rows).astype(numpy.int64)
    for gap in range(1, reach + 1):
        keys = stream[:-gap] * vocabulary + stream[gap:]
        counts += numpy.bincount(keys, minlength=counts.size) / gap
    pairs = counts.reshape(vocabulary, vocabulary)
    pairs = torch.from_numpy(pairs + pairs.T)
    totals = pairs.sum(1) + 1
    smooth = totals ** 0.75
    expected = totals[:, None] * (smooth / smooth.sum())[None, :]
    pmi = torch.log(torch.clamp(pairs / expected, min=1))
    torch.manual_seed(0)
    left, size, _ = torch.svd_lowrank(pmi, q=width, niter=2)
    vectors = left * size.sqrt()
    vectors = vectors - vectors.mean(0)
    noise = torch.randn_like(vectors) * vectors.std() * 0.1
    return (vectors + noise) * (EMBEDDING_SCALE / vectors.std())


def run(work, name, budget, say):
    tokenizer = vocabularies.load(work, name)
    rows = chunks(tokenizer, texts(work, name, "train"))
    lengths = [len(r) for r in rows]
    say(f"pretrain {name}: {len(rows)} chunks, {sum(lengths)} tokens")
    configuration = shapes.config(name)
    configuration.hidden_dropout_prob = 0.0
    configuration.attention_probs_dropout_prob = 0.0
    torch.manual_seed(0)
    network = Network(configuration, "masks")
    counts = piece_counts(rows, configuration.vocab_size) + 0.1
    with torch.no_grad():  # the unigram model is a better start than zero
        network.cls.predictions.bias.copy_(
            torch.from_numpy(numpy.log(counts / counts.sum())))
        network.deberta.embeddings["word_embeddings"].weight.copy_(
            neighbour_embeddings(rows, configuration.vocab_size,
                                 configuration.hidden_size))
        say(f"pretrain {name}: word vectors counted")
    mask_id = tokenizer.mask_token_id

    def batch_loss(indices):
        ids, real = loop.padded([rows[i] for i in indices])
        masked, at = mask_tokens(ids, real, mask_id, len(tokenizer) - 1)
        logits = network(masked, None if bool(real.all()) else real, at)
        return F.cross_entropy(logits.float(), ids.flatten()[at]), \
            int(real.sum())

    def checkpoint():
        torch.save(network.state_dict(), work / f"pretrained-{name}.new")
        (work / f"pretrained-{name}.new").rename(
            work / f"pretrained-{name}.pt")

    about = loop.train(network, f"pretrain {name}", lengths, batch_loss,
                       budget, rate=RATE, tokens=TOKENS, hold=0.6,
                       checkpoint=checkpoint)
    checkpoint()
    (work / f"pretrained-{name}.json").write_text(json.dumps(about) + "\n")
    say(f"pretrain {name}: {about}")
