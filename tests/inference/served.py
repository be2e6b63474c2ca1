"""A server of the demo models, for one test program."""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = ("section-classifier", "tech-tagger", "package-qa", "mask-filler")


class Server:
    def __init__(self, build):
        self.log = tempfile.NamedTemporaryFile("w+")
        models = ",".join(f"{name}={ROOT / 'demo' / name}" for name in MODELS)
        self.process = subprocess.Popen(
            [build / "deberta-server", f"--models={models}",
             "--listen=127.0.0.1:0", "--metrics_listen="],
            stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while True:
            text = pathlib.Path(self.log.name).read_text()
            if '"serving"' in text:
                break
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server does not serve:\n{text}")
            time.sleep(0.05)
        port = re.search(r'"grpc_port":(\d+)', text).group(1)
        self.address = f"127.0.0.1:{port}"

    def stop(self):
        self.process.terminate()
        return self.process.wait()


def main(case):
    """Runs the tests of `case` with its `server` set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    case.server = Server(parser.parse_args().build)
    try:
        suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    finally:
        code = case.server.stop()
    sys.exit(0 if result.wasSuccessful() and result.testsRun and code == 0
             else 1)
