"""What the tests of the adapters share: a server of the models that they need."""

import contextlib
import pathlib
import sys
import unittest

import label_head_models
from deberta_client import Client
from served import Served

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "clients/examples/adapters"))
GAME = "Plays chess against you or another program, with opening books."
TOOL = "A library written in C++ that reads PNG images and fetches them over HTTP."
QUERY = "image editor"
DOCUMENTS = ["a chess engine", "GNU Image Manipulation Program", "a text editor"]


@contextlib.contextmanager
def models():
    """The address of a server of them."""
    build, work = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    gliner = label_head_models.copy("gliner_v0", work / "gliner")
    named = [f"{n}={ROOT / p}" for n, p in (
        ("reranker", "tests/golden/conventions/reranker"),
        ("section-classifier", "demo/section-classifier"),
        ("tech-tagger", "demo/tech-tagger"), ("gliner", gliner))]
    with Served(build, work / "server.log", "--listen=127.0.0.1:0",
                "--metrics_listen=", f"--models={','.join(named)}") as server:
        yield f"127.0.0.1:{server.port()}"


class AdapterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.target = cls.enterClassContext(models())
        cls.client = cls.enterClassContext(Client(cls.target))


def main():
    unittest.main(argv=sys.argv[:1])
