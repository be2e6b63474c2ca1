"""The directory of the model that reads labels, as the package gliner saves it."""

import json
import tempfile

from gliner import GLiNER

import label_network
import shapes

SETTINGS = dict(hidden_size=label_network.WIDTH, span_mode="markerV0",
                max_width=label_network.MAX_WIDTH, num_rnn_layers=1,
                subtoken_pooling="first", max_len=384,
                dropout=label_network.DROPOUT, fine_tune=True)
BACKBONE = "microsoft/deberta-v3-small"  # the kind; its weights are not used


def run(network, tokenizer, directory):
    """fp16 stored, fp32 computed. `tokenizer` is the one without ADDED."""
    name = directory.name
    # What is longer the package would cut, and score the words cut off.
    tokenizer.model_max_length = int(1e30)
    with tempfile.TemporaryDirectory() as backbone:
        shapes.config("v3").save_pretrained(backbone)
        tokenizer.save_pretrained(backbone)
        model = GLiNER.from_config(
            {**SETTINGS, "model_name": backbone, "name": name},
            backbone_from_pretrained=False)
    model.model.load_state_dict(network.state_dict())
    model.model.half()
    model.save_pretrained(directory, safe_serialization=True)
    path = directory / "gliner_config.json"
    config = json.loads(path.read_text()) | {"model_name": BACKBONE}
    config["encoder_config"].pop("_name_or_path", None)
    config["encoder_config"]["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    for path in directory.iterdir():
        path.chmod(0o644)
