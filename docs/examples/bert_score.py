#!/usr/bin/env python3
"""BERTScore of candidate texts against references, from a running server.

Zhang et al. 2020: each token of one text is matched with the most similar
token of the other, by the cosine of the hidden states of one layer. Equal to
the bert_score package's numbers without idf weights and baseline, for the same
model and layer (its deberta-xlarge-mnli default is layer 40):

  python3 -m grpc_tools.protoc -Iproto --python_out=. --grpc_python_out=. \
      deberta/v1/deberta.proto
  python3 docs/examples/bert_score.py --layer=40 "a candidate" "a reference"

Needs grpcio and the stubs that the first command writes.
"""

import argparse
import math


def token_vectors(encode, request, text, layer):
    """Unit vectors of a text's tokens, special ones included: first and last."""
    (result,) = encode(request(text.strip(), layer)).results
    vectors = []
    for vector in result.vectors:
        norm = math.sqrt(math.fsum(v * v for v in vector.values))
        vectors.append([v / norm for v in vector.values])
    return vectors


def best_matches(vectors, others):
    """For each token but the special ones, the cosine of its best match."""
    return [max(math.fsum(a * b for a, b in zip(vector, other))
                for other in others) for vector in vectors[1:-1]]


def bert_score(encode, request, candidate, reference, layer):
    """(precision, recall, F1). `request(text, layer)` makes an EncodeRequest."""
    ours = token_vectors(encode, request, candidate, layer)
    theirs = token_vectors(encode, request, reference, layer)
    matched, found = best_matches(ours, theirs), best_matches(theirs, ours)
    precision = math.fsum(matched) / len(matched)
    recall = math.fsum(found) / len(found)
    return precision, recall, 2 * precision * recall / (precision + recall)


def request_maker(pb, model):
    """Texts longer than the model reads are cut, as the package cuts them."""
    return lambda text, layer: pb.EncodeRequest(
        model=model, inputs=[pb.TextInput(text=text)], layers=[layer],
        pooling=pb.POOLING_NONE, length_policy=pb.LENGTH_POLICY_TRUNCATE)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", default="localhost:50051")
    parser.add_argument("--model", default="")
    parser.add_argument("--layer", type=int, required=True)
    parser.add_argument("candidate")
    parser.add_argument("reference")
    arguments = parser.parse_args()

    import grpc
    import deberta.v1.deberta_pb2 as pb
    import deberta.v1.deberta_pb2_grpc as pb_grpc

    # Every token's vector: more than the 4 MB that clients take by default.
    channel = grpc.insecure_channel(arguments.server, options=[
        ("grpc.max_receive_message_length", -1)])
    stub = pb_grpc.DebertaServiceStub(channel)
    scores = bert_score(stub.Encode, request_maker(pb, arguments.model),
                        arguments.candidate, arguments.reference,
                        arguments.layer)
    print("precision {:.4f}  recall {:.4f}  F1 {:.4f}".format(*scores))


if __name__ == "__main__":
    main()
