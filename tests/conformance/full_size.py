"""Models of the released sizes with random weights, against fp64.

Over many layers fp32 itself errs by more than rounding once. The truth is
transformers' model in fp64; our error is held against that of transformers in
fp32 from the same weights.
"""

import gc
import shutil
import sys

import torch
import transformers
from safetensors.torch import save_file

import microsoft_check
import random_models

LIMIT = 2e-5  # of scale, where transformers keeps it too
MOST_TIMES = 4  # transformers' own error
LENGTHS = (24, 200, 512)

V1 = dict(model_type="deberta", vocab_size=50265, pos_att_type="c2p|p2c",
          relative_attention=True, position_biased_input=False,
          max_position_embeddings=512, max_relative_positions=-1,
          type_vocab_size=0, hidden_act="gelu", layer_norm_eps=1e-7)
V2 = V1 | dict(model_type="deberta-v2", vocab_size=128100,
               pos_att_type="p2c|c2p", share_att_key=True,
               position_buckets=256, norm_rel_ebd="layer_norm")


def shape(kind, hidden, layers, **more):
    return kind | more | dict(
        hidden_size=hidden, num_hidden_layers=layers,
        num_attention_heads=hidden // 64, intermediate_size=4 * hidden,
        pooler_hidden_size=hidden)


SIZES = {
    "deberta-base": shape(V1, 768, 12),
    "deberta-large": shape(V1, 1024, 24),
    "deberta-xlarge": shape(V1, 1024, 48),
    "deberta-v3-xsmall": shape(V2, 384, 12),
    "deberta-v3-small": shape(V2, 768, 6),
    "deberta-v3-base": shape(V2, 768, 12),
    "deberta-v3-large": shape(V2, 1024, 24),
    "deberta-v2-xlarge": shape(V2, 1536, 24, conv_kernel_size=3,
                               conv_act="gelu"),
}
LABELS = dict(hidden="hidden states of every layer", logits="logits")
PRETRAINED = ("deberta-base", "deberta-v3-base")


def save(directory, settings, seed):
    """A question answering model, in fp16 as many released files are."""
    kind = random_models.model_class(settings, "QuestionAnswering")
    model = kind(random_models.make_config(settings))
    random_models.randomize(model, torch.Generator().manual_seed(seed))
    model.half().save_pretrained(directory)
    del model
    gc.collect()
    return kind.from_pretrained(directory, dtype=torch.float32).eval()


def in_double(model):
    """`model` in fp64, its own LayerNorm of v1 too, which goes through fp32."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ != "DebertaLayerNorm":
                continue
            norm = torch.nn.LayerNorm(child.weight.shape,
                                      eps=child.variance_epsilon)
            norm.load_state_dict(child.state_dict())
            setattr(parent, name, norm)
    return model.double()


def run(model, sequences):
    """Hidden states of every layer and logits, sequence by sequence."""
    results = []
    for ids in sequences:
        with torch.no_grad():
            output = model(input_ids=ids, attention_mask=torch.ones_like(ids),
                           output_hidden_states=True)
        results.append(([hidden[0] for hidden in output.hidden_states],
                        torch.stack([output.start_logits[0],
                                     output.end_logits[0]], -1)))
    return results


def of_scale(actual, expected):
    return float((actual.double() - expected).abs().max()
                 / expected.abs().max())


def own_error(fp32, truth):
    """transformers' own, as compare_model counts it: hidden states, logits."""
    hidden = max(of_scale(a, e)
                 for (ours, _), (theirs, _) in zip(fp32, truth)
                 for a, e in zip(ours, theirs))
    return hidden, of_scale(torch.cat([logits for _, logits in fp32]),
                            torch.cat([logits for _, logits in truth]))


def write_golden(directory, sequences, truth):
    tensors = {}
    for s, (ids, (hidden, logits)) in enumerate(zip(sequences, truth)):
        tensors[f"input_ids.{s}"] = ids[0].float()
        tensors[f"token_type_ids.{s}"] = torch.zeros(ids.shape[1])
        tensors[f"logits.{s}"] = logits.float().contiguous()
        for n, states in enumerate(hidden):
            tensors[f"hidden.{s}.{n}"] = states.float().contiguous()
    save_file(tensors, directory / "golden.safetensors")


def add_size(rows, name, arguments, scratch, compare):
    settings = SIZES[name]
    directory = scratch / name
    model = save(directory, settings, arguments.seed)
    generator = torch.Generator().manual_seed(arguments.seed)
    sequences = [torch.randint(settings["vocab_size"], (1, length),
                               generator=generator) for length in LENGTHS]
    fp32 = run(model, sequences)
    truth = run(in_double(model), sequences)
    row = f"{type(model).__name__} of {name} size"
    del model
    gc.collect()
    own = own_error(fp32, truth)
    write_golden(directory, sequences, truth)
    del fp32, truth
    gc.collect()
    fields = compare(arguments.build, [directory])[str(directory)]
    reference = f"transformers {transformers.__version__} in fp64"
    for compared, theirs in zip(("hidden", "logits"), own):
        ours = fields.get(compared)
        note = (f"{settings['num_hidden_layers']} layers, {sum(LENGTHS)} "
                f"tokens; transformers in fp32 errs by {theirs:.1e}")
        limit = LIMIT if theirs <= LIMIT else MOST_TIMES * theirs
        label = LABELS[compared]
        rows.add(row, reference, label, ours, limit=limit, note=note,
                 where=str(fields))
        rows.add(row, reference, f"{label}, error beside transformers' own",
                 None if ours is None else ours / theirs, limit=MOST_TIMES,
                 unit="times", note=note, where=str(fields))
    shutil.rmtree(directory)


def add_rows(rows, microsoft, arguments, scratch, compare):
    for name in SIZES:
        if sys.stderr.isatty():
            print(f"{name}: minutes", file=sys.stderr)
        add_size(rows, name, arguments, scratch, compare)
    for name in PRETRAINED:
        directory, row, reference = microsoft_check.write_pretrained(
            microsoft, scratch / name, SIZES[name], arguments)
        fields = compare(arguments.build, [directory])[str(directory)]
        for compared in ("hidden", "logits"):
            label = LABELS[compared]
            rows.add(f"{row} of {name} size", reference, label,
                     fields.get(compared), limit=LIMIT,
                     note="both in fp32; 40 rows decoded of 512 tokens",
                     where=str(fields))
        shutil.rmtree(directory)
