"""What the tests by the protocol's clients share."""

import argparse
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from served import Served

DEMO = pathlib.Path(__file__).resolve().parents[2] / "demo"
MODELS = ("section-classifier", "tech-tagger", "package-qa", "mask-filler")


def main(case):
    """Runs the tests of `case` with its `address` set to a server's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    build = parser.parse_args().build
    models = ",".join(f"{name}={DEMO / name}" for name in MODELS)
    with tempfile.NamedTemporaryFile() as log:
        server = Served(build, log.name, f"--models={models}",
                        "--listen=127.0.0.1:0", "--metrics_listen=")
        case.address = f"127.0.0.1:{server.port()}"
        try:
            suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
            result = unittest.TextTestRunner(verbosity=2).run(suite)
        finally:
            code = server.stop()
    sys.exit(0 if result.wasSuccessful() and result.testsRun and code == 0
             else 1)
