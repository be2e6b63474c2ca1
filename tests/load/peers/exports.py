"""Makes the models: a random checkpoint, its ONNX file, its int8 ONNX file.

What is there already is kept. Needs tests/load/requirements.txt.
"""

import importlib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
OPSET = 17


def checkpoint(size, work):
    directory = work / size
    if not (directory / "tokenizer_config.json").exists():
        sys.path.insert(0, str(ROOT / "tests/golden/generators"))
        maker = importlib.import_module("make_random_checkpoint")
        maker.make(size, directory, "float16")
    return directory


def onnx_path(size, work):
    return work / "exports" / f"{size}.onnx"


def int8_path(size, work):
    return work / "exports" / f"{size}-int8.onnx"


def export(directory, path):
    """By tracing alone: transformers has a few scripted functions, whose
    branches would become If nodes, which OpenVINO refuses. By a text as long as
    any: of what a length is compared with, tracing keeps one side."""
    import torch
    torch.jit.script = lambda function: function
    import transformers
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        directory, dtype=torch.float32).eval()
    axes = {0: "batch", 1: "length"}
    example = torch.arange(1024).reshape(2, 512)
    with torch.no_grad():
        torch.onnx.export(
            model, (example, torch.ones_like(example)), str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"], opset_version=OPSET, dynamo=False,
            dynamic_axes={"input_ids": axes, "attention_mask": axes})


def _quantize(source, path):
    from onnxruntime import quantization
    quantization.quantize_dynamic(
        source, path, per_channel=True,
        weight_type=quantization.QuantType.QInt8)


def products_path(size, work):
    """Says how many matrix products of the int8 file are what."""
    return work / "exports" / f"{size}-int8.json"


def _count_products(source, path):
    import onnx
    kinds = [node.op_type for node in onnx.load(source).graph.node]
    counts = {kind: kinds.count(kind) for kind in
              ("MatMulInteger", "DynamicQuantizeMatMul", "MatMul", "Gemm")}
    path.write_text(json.dumps({k: n for k, n in counts.items() if n}))


def prepare(size, work):
    """Everything for one size. A file appears only when it is complete."""
    directory = checkpoint(size, work)
    for path, make in [
            (onnx_path(size, work), lambda to: export(directory, to)),
            (int8_path(size, work),
             lambda to: _quantize(onnx_path(size, work), to)),
            (products_path(size, work),
             lambda to: _count_products(int8_path(size, work), to))]:
        if not path.exists():
            print(f"making {path}", file=sys.stderr)
            path.parent.mkdir(exist_ok=True)
            unfinished = path.with_suffix(".part")
            make(unfinished)
            unfinished.rename(path)


def in_own_process(size, work):
    """`prepare` in a process whose memory is given back when it ends."""
    subprocess.run([sys.executable, "-m", "peers.exports", size, work],
                   check=True, cwd=ROOT / "tests/load")


if __name__ == "__main__":
    prepare(sys.argv[1], pathlib.Path(sys.argv[2]))
