#!/usr/bin/env python3
"""The page of the metrics port in a real browser, at two widths.

    tests/gateway/page_test.py --build BUILD_DIR --out DIRECTORY

Starts a server, lets Chromium (without a window) draw the page, and looks at what
the page says then; pictures of it go to the directory.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from served import Served

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDTHS = {"wide": "1280,900", "narrow": "400,900"}


def install_chromium():
    if shutil.which("chromium") is None:
        root = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*root, "apt-get", "install", "-y", "-q",
                        "--no-install-recommends", "chromium"],
                       check=True, stdout=subprocess.DEVNULL)


def chromium(*arguments):
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu",
             "--hide-scrollbars", f"--user-data-dir={profile}",
             "--virtual-time-budget=5000", *arguments],
            capture_output=True, text=True, timeout=120, check=True).stdout


def check(page, width):
    """What the page must say, and that nothing is wider than it."""
    wrong = []
    for words in ("serves 2 models", "section-classifier", "tech-tagger",
                  "classify, encode", "tokens a second"):
        if words not in page:
            wrong.append(f"{width}: no {words!r}")
    for model in ("section-classifier", "tech-tagger"):
        if f'<option value="{model}">' not in page:
            wrong.append(f"{width}: {model} cannot be chosen")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    install_chromium()
    options.out.mkdir(parents=True, exist_ok=True)
    wrong = []
    with Served(options.build, options.out / "server.log",
                "--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0",
                f"--models={ROOT}/demo/section-classifier,"
                f"{ROOT}/demo/tech-tagger") as server:
        url = f"http://127.0.0.1:{server.port('metrics_port')}/"
        for width, size in WIDTHS.items():
            page = chromium(f"--window-size={size}", "--dump-dom", url)
            wrong += check(page, width)
            chromium(f"--window-size={size}",
                     f"--screenshot={options.out / width}.png", url)
        html = urllib.request.urlopen(url, timeout=10).read().decode()
        if re.search(r"(src|href)=[\"']?(https?:)?//", html):
            wrong.append("the page has something from elsewhere")
    print("\n".join(wrong) or f"the page is as it should be; see {options.out}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
