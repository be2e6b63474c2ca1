#!/usr/bin/env python3
"""Collects text in many languages from what Debian ships.

    collect_text.py WORK_DIRECTORY LINES_FILE [--limit=N]

Package descriptions in every translation, messages (.mo), word lists, manual
pages and handbooks. Lists and packages are downloaded into WORK_DIRECTORY with
apt-get, nothing is installed. Writes one text a line, without tabs, each once,
at most N (60000) of each language or package; the same packages give the same
file. Needs Debian and python3 alone.
"""

import argparse
import collections
import gzip
import pathlib
import struct
import subprocess
import sys

PACKAGES = """
wamerican wngerman wfrench wspanish witalian wpolish wukrainian wportuguese
wswedish wdanish wbulgarian wcatalan manpages-de manpages-fr manpages-ja
manpages-ru manpages-es manpages-zh manpages-pl manpages-it iso-codes
libreoffice-l10n-hi libreoffice-l10n-th libreoffice-l10n-ar libreoffice-l10n-he
libreoffice-l10n-ko libreoffice-l10n-ka libreoffice-l10n-bn libreoffice-l10n-ta
libreoffice-l10n-km libreoffice-l10n-vi libreoffice-l10n-el libreoffice-l10n-fa
debian-reference-ja debian-reference-zh-cn
""".split()
LANGUAGES = """
en de fr es it pt pt_BR ru uk pl cs sk hu fi da nl sv ja ko zh zh_CN zh_TW el tr
vi ca eu gl hr sr ro bg fa ar he km id eo nb
""".split()
MAX_CHARACTERS = 2000


def download_lists(directory):
    lists = directory / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    options = [
        f"Dir::State::lists={lists}",
        f"Dir::Cache={directory / 'cache'}",
        "Acquire::Languages=" + ",".join(LANGUAGES),
    ]
    command = ["apt-get", *(w for o in options for w in ("-o", o)), "update"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sorted(lists.glob("*_Translation-*"))


def download_packages(directory):
    """Unpacked packages by name."""
    debs = directory / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    unpacked = {}
    for package in PACKAGES:
        if not any(debs.glob(package + "_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=debs, check=True,
                           stdout=subprocess.DEVNULL)
        root = directory / "unpacked" / package
        if not root.exists():
            root.mkdir(parents=True)
            deb = next(debs.glob(package + "_*.deb"))
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
        unpacked[package] = root
    return unpacked


def description_lines(path):
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], check=True,
                          stdout=subprocess.PIPE).stdout
    for line in text.decode("utf-8", "replace").split("\n"):
        if line.startswith("Description-") and "md5" not in line:
            yield line.split(": ", 1)[-1]
        elif line.startswith(" ") and line != " .":
            yield line[1:]


def message_lines(data):
    order = "<" if data[:4] == b"\xde\x12\x04\x95" else ">"
    count, _, values = struct.unpack_from(order + "3I", data, 8)
    for i in range(count):
        length, at = struct.unpack_from(order + "2I", data, values + 8 * i)
        for text in data[at:at + length].split(b"\0"):
            yield " ".join(text.decode("utf-8", "replace").split("\n"))


def file_lines(path):
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".mo":
        yield from message_lines(data)
    elif b"\0" not in data:
        yield from data.decode("utf-8", "replace").split("\n")


def wanted(path):
    return (path.is_file() and not path.is_symlink()
            and ("/share/dict/" in str(path) or "/share/man/" in str(path)
                 or path.suffix in (".mo", ".txt")
                 or path.name.endswith(".txt.gz")))


def sources(directory):
    """(name, lines), in an order of their own."""
    for path in download_lists(directory):
        yield "descriptions " + path.stem.split("Translation-")[1], description_lines(path)
    for package, root in sorted(download_packages(directory).items()):
        yield package, (line for path in sorted(root.rglob("*")) if wanted(path)
                        for line in file_lines(path))
    documentation = sorted(p for p in pathlib.Path("/usr/share/doc").rglob("*")
                           if p.is_file() and p.stat().st_size < 1 << 20
                           and p.name.split(".")[0] in ("README", "copyright", "NEWS",
                                                        "changelog"))
    yield "documentation", (line for p in documentation for line in file_lines(p))
    messages = sorted(pathlib.Path("/usr/share/locale").rglob("*.mo"))
    by_language = collections.defaultdict(list)
    for path in messages:
        by_language[path.relative_to("/usr/share/locale").parts[0]].append(path)
    for language, paths in sorted(by_language.items()):
        yield "messages " + language, (line for p in paths for line in file_lines(p))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("lines", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=60000)
    arguments = parser.parse_args()
    seen = set()
    with open(arguments.lines, "w", encoding="utf-8", newline="\n") as out:
        for name, lines in sources(arguments.directory.resolve()):
            kept = 0
            for line in lines:
                line = line.replace("\t", " ")[:MAX_CHARACTERS]
                if not line.strip() or line in seen:
                    continue
                seen.add(line)
                out.write(line + "\n")
                kept += 1
                if kept == arguments.limit:
                    break
            print(f"{kept:7} {name}", file=sys.stderr)
    print(f"{len(seen)} lines", file=sys.stderr)


if __name__ == "__main__":
    main()
