"""Random DeBERTa configurations, and models of them with random weights."""

import random

import torch
import transformers

ACTIVATIONS = (
    "gelu", "gelu_10", "gelu_accurate", "gelu_fast", "gelu_new", "gelu_python",
    "gelu_python_tanh", "gelu_pytorch_tanh", "leaky_relu", "linear", "mish",
    "quick_gelu", "relu", "relu2", "relu6", "sigmoid", "silu", "swish", "tanh")
HEAD_SIZES = (8, 8, 16, 24, 32, 40, 56, 64, 72, 88, 4, 12, 20, 7)
PREFIXES = {"deberta": "Deberta", "deberta-v2": "DebertaV2"}
HEADS = ("", "MaskedLM", "SequenceClassification", "TokenClassification",
         "QuestionAnswering", "MultipleChoice")


def activation(rng):
    return "gelu" if rng.random() < 0.4 else rng.choice(ACTIVATIONS)


def position_terms(family, rng):
    """pos_att_type in the spellings that are about; empty at times."""
    terms = rng.choice((["c2p"], ["p2c"], ["c2p", "p2c"], ["p2c", "c2p"],
                        ["c2p", "p2c"], []))
    if rng.random() < 0.4:
        return "|".join(terms) if terms else "none"
    if family == "deberta" and rng.random() < 0.2:
        return terms + ["none"]
    return terms


def v2_settings(settings, rng):
    hidden = settings["hidden_size"]
    limit = settings["max_relative_positions"]
    if limit < 1:
        limit = settings["max_position_embeddings"]
    settings["share_att_key"] = rng.random() < 0.5
    settings["norm_rel_ebd"] = rng.choice(("none", "layer_norm"))
    buckets = rng.choice((-1, -1, 2, 3, 4, 5, 6, 7, 8, 10, 16, 24, 25, 32))
    # Beyond this the reference takes the logarithm of one.
    if limit - 1 > buckets // 2:
        settings["position_buckets"] = buckets
    if rng.random() < 0.4:
        settings["conv_kernel_size"] = rng.choice((1, 3, 3, 5, 7))
        settings["conv_act"] = activation(rng)
        settings["conv_groups"] = rng.choice(
            [groups for groups in (1, 1, 2, 3, 4, 8) if hidden % groups == 0])


def random_settings(index, rng):
    """The arguments of a configuration; families take turns."""
    family = ("deberta", "deberta-v2")[index % 2]
    heads = rng.randint(1, 5)
    hidden = heads * rng.choice(HEAD_SIZES)
    settings = dict(
        model_type=family,
        vocab_size=rng.randint(50, 400),
        hidden_size=hidden,
        num_hidden_layers=rng.randint(1, 4),
        num_attention_heads=heads,
        intermediate_size=rng.randint(8, 300),
        max_position_embeddings=rng.randint(12, 80),
        max_relative_positions=rng.choice((-1, -1, rng.randint(6, 60))),
        type_vocab_size=rng.choice((0, 0, 2, 3)),
        relative_attention=rng.random() < 0.9,
        position_biased_input=rng.random() < 0.3,
        pos_att_type=position_terms(family, rng),
        layer_norm_eps=rng.choice((1e-7, 1e-7, 1e-5, 1e-12)),
        hidden_act=activation(rng),
        pooler_hidden_act=activation(rng),
        pooler_hidden_size=hidden)
    if rng.random() < 0.3:
        settings["embedding_size"] = rng.randint(4, 150)
    if family == "deberta-v2":
        v2_settings(settings, rng)
    return settings


def head_settings(head, legacy, labels):
    if head == "MaskedLM":
        # 4.57 ties the plain head's first matrix to the embeddings otherwise,
        # and fails.
        return {} if legacy else dict(legacy=False, tie_word_embeddings=False)
    if head in ("SequenceClassification", "TokenClassification"):
        names = [f"L{i}" for i in range(labels)]
        return dict(id2label=dict(enumerate(names)),
                    label2id={name: i for i, name in enumerate(names)})
    return {}


def random_lengths(settings, rng):
    """Below, at and above the limit of relative positions, where allowed."""
    limit = settings["max_relative_positions"]
    if limit < 1:
        limit = settings["max_position_embeddings"]
    lengths = [rng.randint(1, limit - 1), limit,
               limit + rng.randint(1, 2 * limit)]
    if settings["position_biased_input"]:
        most = settings["max_position_embeddings"]
        lengths = [min(length, most) for length in lengths]
    return lengths


def randomize(model, generator):
    """Weights that keep the size of what they multiply.

    The library's own standard deviation of 0.02 hides a wrong index.
    """
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("LayerNorm.weight"):
            noise = 1 + 0.3 * noise
        elif parameter.dim() > 1 and "embeddings" not in name:
            noise *= 1.2 * parameter[0].numel() ** -0.5
        else:
            noise *= 0.5
        with torch.no_grad():
            parameter.copy_(noise)


def model_class(settings, head):
    suffix = f"For{head}" if head else "Model"
    return getattr(transformers, PREFIXES[settings["model_type"]] + suffix)


def make_config(settings):
    kind = getattr(transformers, PREFIXES[settings["model_type"]] + "Config")
    return kind(**{key: value for key, value in settings.items()
                   if key != "model_type"})


def save(directory, settings, head, seed, rng):
    """Writes a model, and returns what transformers reads from there."""
    kind = model_class(settings, head)
    model = kind(make_config(settings)).eval()
    randomize(model, torch.Generator().manual_seed(seed))
    dtype = rng.choice((torch.float32, torch.float16, torch.bfloat16))
    model.to(dtype).save_pretrained(
        directory, max_shard_size=rng.choice(("5GB", "5GB", "60KB")))
    model, loading = kind.from_pretrained(
        directory, dtype=torch.float32, output_loading_info=True)
    assert not any(loading.values()), loading
    return model.eval()


def pad(sequences):
    """ids, types and mask [sequences, longest] of (ids, types); zeros beyond."""
    longest = max(len(ids) for ids, _ in sequences)
    ids, types = (torch.tensor([list(row) + [0] * (longest - len(row))
                                for row in rows]) for rows in zip(*sequences))
    lengths = torch.tensor([len(row) for row, _ in sequences])
    return ids, types, (torch.arange(longest)[None] < lengths[:, None]).long()


def padded_batch(config, lengths, generator):
    """ids, types and mask [sequences, longest]; zeros beyond each length."""
    shape = (len(lengths), max(lengths))
    mask = (torch.arange(shape[1])[None]
            < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(config.vocab_size, shape, generator=generator)
    types = torch.randint(max(config.type_vocab_size, 1), shape,
                          generator=generator)
    return ids * mask, types * mask, mask


def golden(model, head, lengths, seed):
    """The tensors of golden.safetensors, from one padded batch."""
    return answers(model, head, *padded_batch(
        model.config, lengths, torch.Generator().manual_seed(seed)))


def answers(model, head, ids, types, mask):
    """Inputs, hidden states and logits of each sequence of a batch."""
    lengths = mask.sum(1).tolist()
    inputs = dict(input_ids=ids, token_type_ids=types, attention_mask=mask)
    if head == "MultipleChoice":
        inputs = {name: value[None] for name, value in inputs.items()}
    with torch.no_grad():
        output = model(**inputs, output_hidden_states=True)
    tensors = {}
    for s, length in enumerate(lengths):
        tensors[f"input_ids.{s}"] = ids[s, :length].float()
        tensors[f"token_type_ids.{s}"] = types[s, :length].float()
        for n, hidden in enumerate(output.hidden_states):
            tensors[f"hidden.{s}.{n}"] = hidden[s, :length]
        if head == "QuestionAnswering":
            tensors[f"logits.{s}"] = torch.stack(
                [output.start_logits[s, :length],
                 output.end_logits[s, :length]], -1)
        elif head == "MultipleChoice":
            tensors[f"logits.{s}"] = output.logits[0, s:s + 1]
        elif head == "SequenceClassification":
            tensors[f"logits.{s}"] = output.logits[s]
        elif head:
            tensors[f"logits.{s}"] = output.logits[s, :length]
    return {name: value.contiguous().clone()
            for name, value in tensors.items()}


def seeded(*parts):
    """A generator of its own for each part of the run."""
    return random.Random(":".join(map(str, parts)))
