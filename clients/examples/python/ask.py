"""Asks a deberta-server from Python, by code that protoc makes of the proto. The
package in clients/python does this and more.

    pip install grpcio-tools googleapis-common-protos
    python -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. \\
        deberta/v1/deberta.proto
    python ask.py localhost:50051
"""

import json
import sys

import grpc
from google.rpc import error_details_pb2, status_pb2

from deberta.v1 import deberta_pb2 as pb
from deberta.v1 import deberta_pb2_grpc

# gRPC makes calls again by itself while there is no server.
OPTIONS = [("grpc.service_config", json.dumps({
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{
        "name": [{"service": "deberta.v1.DebertaService"}],
        "retryPolicy": {
            "maxAttempts": 5, "initialBackoff": "0.1s", "maxBackoff": "5s",
            "backoffMultiplier": 2, "retryableStatusCodes": ["UNAVAILABLE"]},
    }],
}))]


def reason(error):
    """Why a call failed, by the details that travel with it."""
    trailer = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(
        trailer.get("grpc-status-details-bin", b""))
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return info.reason
    return ""


with grpc.insecure_channel(f"dns:///{sys.argv[1]}", options=OPTIONS) as channel:
    client = deberta_pb2_grpc.DebertaServiceStub(channel)
    answer = client.Classify(pb.ClassifyRequest(
        model="section-classifier", top_k=1,
        inputs=[pb.TextInput(text="A chess engine with opening books.")]),
        timeout=60)
    print(answer.results[0].labels[0].label)

    text = "Naïve mail over IMAP, in Rust."
    answer = client.TagTokens(pb.TagTokensRequest(inputs=[text]), timeout=60)
    for entity in answer.results[0].entities:
        print(entity.label, text[entity.start:entity.end])

    try:
        client.Classify(pb.ClassifyRequest(model="none"), timeout=60)
    except grpc.RpcError as error:
        print(error.code().name, reason(error))
