"""One call or more of every task, and how to compare two answers."""

import dataclasses
import pathlib
import shutil

from google.protobuf import json_format
from google.protobuf.message import Message

import deberta.v1.deberta_pb2 as pb
import random_tokenizer
from texts import EXTRACTED, GAME, LONG, MASKED, RECORD, TOOL

@dataclasses.dataclass(frozen=True)
class Call:
    name: str
    method: str     # RPC
    task: str       # label of the metrics; "" where there is none
    request: Message


def calls():
    """Every task, models of both families, short and long inputs."""
    texts = [GAME, TOOL, LONG, "vi"]
    pairs = [pb.TextInput(text=text) for text in texts]
    golden = [pb.TextInput(text="a tiny one"), pb.TextInput(text="bo",
                                                          text_pair="do")]
    return [
        Call("classify", "Classify", "classify", pb.ClassifyRequest(
            model="section-classifier", inputs=pairs, return_logits=True)),
        Call("classify-top", "Classify", "classify", pb.ClassifyRequest(
            model="section-classifier", inputs=pairs[:1], top_k=3,
            function=pb.FUNCTION_SIGMOID)),
        Call("classify-window", "Classify", "classify", pb.ClassifyRequest(
            model="golden-classify", inputs=[pb.TextInput(text=TOOL)],
            length_policy=pb.LENGTH_POLICY_WINDOW, stride=4)),
        Call("classify-golden", "Classify", "classify", pb.ClassifyRequest(
            model="golden-classify", inputs=golden, return_logits=True)),
        Call("tag", "TagTokens", "tag_tokens", pb.TagTokensRequest(
            model="tech-tagger", inputs=texts)),
        Call("tag-words", "TagTokens", "tag_tokens", pb.TagTokensRequest(
            model="tech-tagger", inputs=texts[:2],
            aggregation=pb.AGGREGATION_MAX, keep_ignored=True,
            offset_unit=pb.OFFSET_UNIT_UTF16_CODE_UNITS)),
        Call("tag-golden", "TagTokens", "tag_tokens", pb.TagTokensRequest(
            model="golden-tag", inputs=["a tiny one"],
            aggregation=pb.AGGREGATION_NONE, keep_ignored=True)),
        Call("answer", "AnswerQuestion", "answer_question",
             pb.AnswerQuestionRequest(top_k=3, inputs=[
                 pb.QuestionInput(question="Who maintains inkscape?",
                                  context=RECORD),
                 pb.QuestionInput(question="What is the homepage?",
                                  context=RECORD + "\n" + LONG)])),
        Call("answer-windows", "AnswerQuestion", "answer_question",
             pb.AnswerQuestionRequest(
                 rule=pb.RULE_SQUAD_V2, max_window_tokens=64, stride=16,
                 inputs=[pb.QuestionInput(question="What section?",
                                          context=LONG + RECORD)])),
        Call("fill", "FillMask", "fill_mask", pb.FillMaskRequest(
            model="mask-filler", inputs=[
                MASKED, "A [MASK] client for [MASK] servers."])),
        Call("fill-targets", "FillMask", "fill_mask", pb.FillMaskRequest(
            model="mask-filler", inputs=[MASKED], targets=[" files", " game"])),
        Call("zero-shot", "ClassifyZeroShot", "zero_shot",
             pb.ClassifyZeroShotRequest(
                 model="golden-classify", inputs=["a tiny one", "bo"],
                 labels=["a", "do", "tea"], hypothesis_template="{}",
                 multi_label=True)),
        Call("zero-shot-window", "ClassifyZeroShot", "zero_shot",
             pb.ClassifyZeroShotRequest(
                 model="golden-classify", inputs=[TOOL], labels=["a", "do"],
                 hypothesis_template="{}", stride=2,
                 length_policy=pb.LENGTH_POLICY_WINDOW)),
        Call("extract", "ExtractEntities", "extract_entities",
             pb.ExtractEntitiesRequest(
                 model="entity-finder", inputs=[GAME, TOOL, "vi"], threshold=0.2,
                 labels=[pb.EntityLabel(name=name) for name in EXTRACTED],
                 overlap=pb.OVERLAP_NESTED, multi_label=True)),
        Call("extract-window", "ExtractEntities", "extract_entities",
             pb.ExtractEntitiesRequest(
                 model="entity-finder", inputs=[LONG], top_k=2, stride=16,
                 labels=[pb.EntityLabel(name=name) for name in EXTRACTED],
                 length_policy=pb.LENGTH_POLICY_WINDOW)),
        Call("encode", "Encode", "encode", pb.EncodeRequest(
            model="tech-tagger", inputs=pairs, pooling=pb.POOLING_MEAN,
            normalize=True)),
        Call("encode-tokens", "Encode", "encode", pb.EncodeRequest(
            model="golden-tag", inputs=golden, pooling=pb.POOLING_NONE)),
        Call("tokenize", "Tokenize", "", pb.TokenizeRequest(
            model="package-qa", inputs=[pb.TextInput(text=RECORD),
                                        pb.TextInput(text="")])),
    ]


def models(root, work):
    """Names and directories of the models that the tests serve."""
    served = {path.parent.name: path.parent
              for path in sorted((root / "demo").glob("*/model.safetensors"))}
    for name, source in (("golden-classify", "v3_classify"),
                         ("golden-tag", "v3_tag")):
        directory = pathlib.Path(work) / "models" / name
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(root / "tests/golden/models" / source, directory)
        # 120 rows of embeddings; the model reads 24 positions.
        random_tokenizer.write_unigram(directory, 119, max_tokens=24)
        served[name] = directory
    return served


def without_timing(response):
    """The part of a response that must not depend on other callers."""
    answer = type(response)()
    answer.CopyFrom(response)
    if "timing" in answer.DESCRIPTOR.fields_by_name:
        answer.ClearField("timing")
    return answer


def difference(expected, got, tolerance, path=""):
    """Where two messages (as dictionaries) differ, or None. Numbers may differ
    by `tolerance` times the larger of 1 and the expected one."""
    if isinstance(expected, Message):
        return difference(as_dict(expected), as_dict(got), tolerance)
    if isinstance(expected, dict):
        if not isinstance(got, dict) or expected.keys() != got.keys():
            return f"{path}: expected {expected}, got {got}"
        pairs = [(f"{path}.{k}", expected[k], got[k]) for k in expected]
    elif isinstance(expected, list):
        if not isinstance(got, list) or len(expected) != len(got):
            return f"{path}: expected {expected}, got {got}"
        pairs = [(f"{path}[{i}]", e, g)
                 for i, (e, g) in enumerate(zip(expected, got))]
    elif isinstance(expected, float) and isinstance(got, (int, float)):
        if abs(expected - got) <= tolerance * max(1.0, abs(expected)):
            return None
        return f"{path}: expected {expected}, got {got}"
    else:
        return None if expected == got else (
            f"{path}: expected {expected!r}, got {got!r}")
    return next(filter(None, (difference(e, g, tolerance, p)
                              for p, e, g in pairs)), None)


def as_dict(message):
    return json_format.MessageToDict(
        message, always_print_fields_with_no_presence=True,
        preserving_proto_field_name=True)
