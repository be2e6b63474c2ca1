"""GLiNER models with random weights of the published sizes, and their ONNX files as
the package makes them. What is there already is kept.

  python -m peers.gliner_models small WORK

Needs gliner and the packages of tests/load/requirements.txt.
"""

import pathlib
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
# Layers of deberta-v3-small and -base, the backbones of gliner's small and medium.
LAYERS = {"small": 6, "medium": 12}
PIECES = 128000
# What the package names its int8 file.
ONNX, ONNX_INT8 = "model.onnx", "model_quantized.onnx"


def make(size, work):
    """The directory."""
    directory = pathlib.Path(work) / f"gliner-{size}"
    if not (directory / ONNX_INT8).exists():
        shutil.rmtree(directory, ignore_errors=True)
        _make(size, directory)
    return directory


def _make(size, directory):
    import gliner
    import torch
    import transformers
    sys.path.insert(0, str(ROOT / "tests/golden/generators"))
    import random_tokenizer

    torch.manual_seed(7)
    backbone = directory / "backbone"
    backbone.mkdir(parents=True)
    # The package bounds words, and published tokenizers do not bound tokens.
    random_tokenizer.write_unigram(backbone, PIECES, max_tokens=10**30)
    transformers.DebertaV2Config(
        vocab_size=PIECES + 100, hidden_size=768, num_hidden_layers=LAYERS[size],
        num_attention_heads=12, intermediate_size=3072, position_buckets=256,
        max_position_embeddings=512, relative_attention=True,
        position_biased_input=False, pos_att_type="p2c|c2p", share_att_key=True,
        type_vocab_size=0, norm_rel_ebd="layer_norm").save_pretrained(backbone)
    model = gliner.GLiNER.from_config(
        {"model_name": str(backbone), "hidden_size": 512, "max_width": 12,
         "max_len": 384, "span_mode": "markerV0", "num_rnn_layers": 1},
        backbone_from_pretrained=False).eval()
    model.save_pretrained(directory)
    model.export_to_onnx(str(directory), quantize=True)


if __name__ == "__main__":
    make(*sys.argv[1:])
