"""The Python modules of the proto."""

import importlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]


def generated(work):
    """Its messages and its stubs, written to `work`."""
    from grpc_tools import protoc
    if protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={work}",
                    f"--grpc_python_out={work}",
                    "deberta/v1/deberta.proto"]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, str(work))
    return (importlib.import_module("deberta.v1.deberta_pb2"),
            importlib.import_module("deberta.v1.deberta_pb2_grpc"))
