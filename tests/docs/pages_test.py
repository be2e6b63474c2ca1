#!/usr/bin/env python3
"""Runs the commands of the pages in docs/ that say so, and holds what they print
against what stands there, but for numbers.

    pages_test.py BUILD_DIR WORK_DIR [PAGE...]

The blocks `sh` and `python` after a comment `<!-- run: ... -->` are run in order, in
one shell; a block `text` is what those since the last one print. Each page has a
network and processes of its own, where the machine lets that be, so that ports are
free and nothing stays behind.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(sh|python|text)\n(.*?)^```$", re.M | re.S)
NUMBER = re.compile(r"\d[\d.,]*")
SECONDS = 300
MARK = "@@block@@"
REASONS = (r'WithReason\(.{0,400}?"([A-Z][A-Z0-9_]{3,})"\)',
           r'Reason\[\] = "([A-Z0-9_]+)"')


def blocks(page):
    text = page.read_text()
    begin = text.find("<!-- run:")
    return BLOCK.findall(text, begin) if begin >= 0 else []


def script(found, build):
    """Between what is compared stand lines of MARK."""
    # A server that a block left would keep the output open.
    lines = ["set -eu -o pipefail", "set -m",
             "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"]
    for kind, body in found:
        if kind == "sh":
            lines.append(body.replace("build/release/", f"{build}/"))
        elif kind == "python":
            lines.append(f"{sys.executable} - <<'PYTHON'\n{body}PYTHON")
        else:
            lines.append(f"echo {MARK}")
    return "\n".join(lines) + f"\necho {MARK}\n"


def shell():
    """A shell in namespaces of its own, if there may be any."""
    # The jobs of `set -m` are in no group that could be killed; the namespace is.
    alone = ["unshare", "-r", "-n", "-p", "-f", "--kill-child", "sh", "-c",
             "ip link set lo up && exec bash -s"]
    probe = subprocess.run([*alone[:-1], "ip link set lo up"], check=False,
                           capture_output=True) if shutil.which("ip") else None
    return alone if probe and probe.returncode == 0 else ["bash", "-s"]


def plain(text):
    """Without numbers, the widths of columns, or where it was cut."""
    lines = (" ".join(NUMBER.sub("0", line).split())
             for line in text.strip().splitlines())
    return [line for line in lines if line and set(line) != {"-"}]


def run(page, build, work):
    """What is wrong."""
    found = blocks(page)
    folder = work / page.stem
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "demo").symlink_to(ROOT / "demo")
    # deberta-client without a path is the package's.
    path = f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"
    process = subprocess.Popen(
        shell(), cwd=folder, env={**os.environ, "PATH": path},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=open(folder / "stderr.log", "w+"), text=True,
        start_new_session=True)
    try:
        out, _ = process.communicate(script(found, build), timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said = (folder / "stderr.log").read_text()
        return f"not done within {SECONDS} s:\n{said[-3000:]}"
    said = (folder / "stderr.log").read_text()
    if process.returncode != 0:
        return f"exit code {process.returncode}:\n{out}\n{said[-3000:]}"
    wanted = [body for kind, body in found if kind == "text"]
    for got, text in zip(out.split(MARK), wanted):
        if plain(got) != plain(text):
            return f"it says\n{text}\nand prints\n{got}"
    return ""


def missing_reasons():
    """Of the server's that docs/troubleshooting.md does not explain."""
    known = set(re.findall(
        r'return "([A-Z_]{4,})";', (ROOT / "server/rpc/status.cc").read_text()))
    for path in sorted((ROOT / "server").rglob("*.[ch]*")):
        for pattern in REASONS:
            known |= set(re.findall(pattern, path.read_text(), re.S))
    assert len(known) > 20, known
    page = (ROOT / "docs/troubleshooting.md").read_text()
    return sorted(reason for reason in known if f"`{reason}`" not in page)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    build, work = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    failed = 0
    pages = [ROOT / p for p in sys.argv[3:]] or [
        p for p in sorted((ROOT / "docs").glob("*.md")) if blocks(p)]
    for page in pages:
        wrong = run(page, build, work)
        print(f"{page.relative_to(ROOT)}: {len(blocks(page))} blocks: "
              f"{wrong or 'as it says'}", flush=True)
        failed += bool(wrong)
    if missing := missing_reasons():
        print(f"docs/troubleshooting.md does not explain {', '.join(missing)}")
        failed += 1
    sys.exit(failed)


if __name__ == "__main__":
    main()
