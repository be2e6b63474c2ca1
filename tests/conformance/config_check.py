"""config.json as transformers reads it, against what we read."""

import json
import struct
import subprocess

import transformers

import random_models

ROW_NOTE = "every key that changes what is computed; defaults included"


def as_float(value):
    """The nearest fp32, as we keep it."""
    return struct.unpack("f", struct.pack("f", value))[0]


def terms_of(value):
    """pos_att_type as the models split it."""
    if isinstance(value, str):
        return [term.strip() for term in value.lower().split("|")]
    return value or []


def expected(config):
    """What our configuration should say."""
    v2 = config.model_type == "deberta-v2"

    def get(key, fallback):
        return getattr(config, key, fallback) if v2 else fallback

    relative = config.relative_attention
    terms = terms_of(config.pos_att_type)
    limit = config.max_relative_positions
    counted = ([term for term in terms if term in ("c2p", "p2c")] if v2
               else terms)
    kernel = get("conv_kernel_size", 0)
    return dict(
        family=config.model_type,
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        num_hidden_layers=config.num_hidden_layers,
        num_attention_heads=config.num_attention_heads,
        intermediate_size=config.intermediate_size,
        embedding_size=getattr(config, "embedding_size", config.hidden_size),
        max_position_embeddings=config.max_position_embeddings,
        type_vocab_size=config.type_vocab_size,
        layer_norm_eps=as_float(config.layer_norm_eps),
        position_biased_input=config.position_biased_input,
        relative_attention=relative,
        max_relative_positions=(limit if limit >= 1
                                else config.max_position_embeddings),
        position_buckets=max(get("position_buckets", -1), -1),
        c2p=relative and "c2p" in terms,
        p2c=relative and "p2c" in terms,
        scale_factor=1 + len(counted),
        share_att_key=get("share_att_key", False),
        norm_rel_embeddings=(
            "layer_norm" in get("norm_rel_ebd", "none").lower()),
        conv_kernel_size=kernel,
        conv_groups=get("conv_groups", 1) if kernel else 1,
        legacy_mlm_head=config.legacy,
        tie_word_embeddings=config.tie_word_embeddings,
        labels=[config.id2label[i] for i in range(len(config.id2label))])


def write_configs(arguments, scratch):
    """Paths of configurations, with what transformers reads from each."""
    written = []
    for family, prefix in random_models.PREFIXES.items():
        path = scratch / f"{family}.json"
        path.write_text(json.dumps(dict(model_type=family)))
        written.append((path, getattr(transformers, prefix + "Config")))
    for index in range(arguments.cases):
        rng = random_models.seeded(arguments.seed, index)
        settings = random_models.random_settings(index, rng)
        settings |= random_models.head_settings(
            rng.choice(("MaskedLM", "TokenClassification")),
            rng.random() < 0.5, rng.randint(1, 6))
        path = scratch / f"config{index}.json"
        config = random_models.make_config(settings)
        config.to_json_file(path)
        written.append((path, type(config)))
    return [(path, kind.from_json_file(path)) for path, kind in written]


def add_rows(rows, arguments, scratch):
    configs = write_configs(arguments, scratch)
    run = subprocess.run(
        [arguments.build / "tests" / "print_config",
         *(path for path, _ in configs)],
        capture_output=True, text=True, check=True)
    for (path, config), line in zip(configs, run.stdout.splitlines(),
                                    strict=True):
        ours = json.loads(line)
        theirs = expected(config)
        wrong = [key for key in theirs if theirs[key] != ours.get(key)]
        rows.add(type(config).__name__,
                 f"transformers {transformers.__version__}", "configurations",
                 len(wrong), limit=0, unit="differences", note=ROW_NOTE,
                 where=f"{path.name}: {wrong}")
        path.unlink()
