"""What a server answers for a stand-in, beside what its publisher's code answers.

`expected` has the parts of make_convention_golden.py's expected.json. Each
function yields (what is compared, difference, limit, unit).
"""

import importlib.util
import pathlib

import deberta.v1.deberta_pb2 as pb
import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]

LIMIT = 2e-5  # of scale
MOST_TIMES_OWN_ERROR = 4.0  # as full_size.py has it
LAYERS_AT_ONCE = 4


def difference(got, expected, least_scale=0.0):
    """Of the largest number expected; None where the lengths differ."""
    if len(got) != len(expected):
        return None
    scale = max(least_scale, *map(abs, expected), 1e-30)
    return max(abs(a - b) for a, b in zip(got, expected)) / scale


def model(stub, name, expected):
    said = stub.GetModel(pb.GetModelRequest(model=name))
    wrong = 0
    for field, wanted in expected.items():
        got = getattr(said, field)
        if field == "default_function":
            wanted = pb.Function.Value(wanted)
        elif isinstance(wanted, list):
            got = list(got)
        wrong += got != wanted
    yield "what GetModel says", wrong, 0, "differences"


def classify(stub, name, cases):
    logits, wanted, scores, wanted_scores = [], [], [], []
    for case in cases:
        (result,) = stub.Classify(pb.ClassifyRequest(
            model=name, return_logits=True, inputs=[pb.TextInput(
                text=case["text"], text_pair=case.get("text_pair"))])).results
        by_index = {label.index: label.score for label in result.labels}
        logits += result.logits
        wanted += case["logits"]
        scores += [by_index[i] for i in sorted(by_index)]
        wanted_scores += case["scores"]
    yield "logits", difference(logits, wanted), LIMIT, "of scale"
    yield "scores", difference(scores, wanted_scores, 1), LIMIT, "of scale"


def long(stub, name, cases):
    """Beside fp64: over thousands of tokens the reference in fp32 errs too."""
    for case in cases:
        (result,) = stub.Classify(pb.ClassifyRequest(
            model=name, return_logits=True,
            inputs=[pb.TextInput(text=case["text"])])).results
        yield ("logits, beside fp64",
               difference(list(result.logits), case["logits"]),
               max(LIMIT, MOST_TIMES_OWN_ERROR * case["own_error"]), "of scale")


def outputs(stub, name, cases):
    worst, worst_score = 0, 0
    for case in cases:
        (result,) = stub.Classify(pb.ClassifyRequest(
            model=name, inputs=[pb.TextInput(text=case["text"])])).results
        labels = {o.name: {label.label: label.score for label in o.labels}
                  for o in result.outputs if o.labels}
        scores = {o.name: o.score for o in result.outputs if o.HasField("score")}
        if (labels.keys() != case["outputs"].keys()
                or scores.keys() != case["scores"].keys()):
            worst = None
            break
        for output, wanted in case["outputs"].items():
            worst = max(worst, difference(
                [labels[output].get(label, 9) for label in wanted],
                list(wanted.values()), 1))
        worst_score = max([worst_score] + [
            abs(scores[output] - wanted)
            for output, wanted in case["scores"].items()])
    yield "scores", worst, LIMIT, "of scale"
    # Rounded to four digits, or made of such.
    yield "numbers made of outputs", worst_score, 1.1e-4, ""


def encode(stub, name, cases):
    got, wanted = [], []
    for case in cases:
        (result,) = stub.Encode(pb.EncodeRequest(
            model=name, inputs=[pb.TextInput(text=case["text"])],
            length_policy=pb.LENGTH_POLICY_TRUNCATE)).results
        got += result.vectors[0].values
        wanted += case["vector"]
    yield "vectors", difference(got, wanted), LIMIT, "of scale"


def layers(stub, name, cases):
    """Each layer's own scale."""
    worst = 0
    for case in cases:
        count = len(case["states"])
        for first in range(0, count, LAYERS_AT_ONCE):
            numbers = range(first, min(count, first + LAYERS_AT_ONCE))
            (result,) = stub.Encode(pb.EncodeRequest(
                model=name, inputs=[pb.TextInput(text=case["text"])],
                layers=numbers, pooling=pb.POOLING_NONE)).results
            tokens = len(result.tokens)
            for at, layer in enumerate(numbers):
                rows = result.vectors[at * tokens:(at + 1) * tokens]
                found = difference(
                    [value for row in rows for value in row.values],
                    [value for row in case["states"][layer] for value in row])
                worst = None if None in (worst, found) else max(worst, found)
    yield "hidden states of every layer", worst, LIMIT, "of scale"


def bert_scores(stub, name, cases):
    # Its name is the package's, which made what is expected.
    spec = importlib.util.spec_from_file_location(
        "bert_score_example", ROOT / "docs/examples/bert_score.py")
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    got, wanted = [], []
    for case in cases:
        got += example.bert_score(
            stub.Encode, example.request_maker(pb, name),
            case["candidate"], case["reference"], case["layer"])
        wanted += case["scores"]
    yield "BERTScore", difference(got, wanted, 1), LIMIT, "of scale"


def refused_inputs(stub, name, cases):
    """What would be an error in the reference too."""
    wrong = 0
    for case in cases:
        try:
            stub.Classify(pb.ClassifyRequest(
                model=name, inputs=[pb.TextInput(text=case["text"])]))
            wrong += 1
        except grpc.RpcError as error:
            wrong += (error.code() != grpc.StatusCode.INVALID_ARGUMENT
                      or case["says"] not in error.details())
    yield "inputs refused", wrong, 0, "differences"


def zero_shot(stub, name, cases):
    got, wanted = [], []
    for case in cases:
        (result,) = stub.ClassifyZeroShot(pb.ClassifyZeroShotRequest(
            model=name, inputs=[case["text"]], labels=case["labels"])).results
        scores = {label.label: label.score for label in result.labels}
        got += [scores[label] for label in case["labels"]]
        wanted += [case["scores"][label] for label in case["labels"]]
    yield "scores", difference(got, wanted, 1), LIMIT, "of scale"


PARTS = {"model": model, "classify": classify, "long": long, "outputs": outputs,
         "encode": encode, "layers": layers, "bert_score": bert_scores,
         "refused_inputs": refused_inputs, "zero_shot": zero_shot}


def compare(stub, name, expected):
    for part, wanted in expected.items():
        yield from PARTS[part](stub, name, wanted)
