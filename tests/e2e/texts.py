"""Texts that the tests send to the demo models."""

TOOL = ("A library written in C++ that reads PNG and JPEG images, with "
        "bindings for Python, and fetches them over HTTP.")
GAME = "Plays chess against you or another program, with opening books."
LONG = " ".join([TOOL, GAME] * 8)
RECORD = """Package: inkscape
Version: 1.2.2-2
Maintainer: Wolfram Quester <wolfi@sigxcpu.org>
Section: graphics
Homepage: https://inkscape.org
Description: vector-based drawing program"""
MASKED = "This package contains the development [MASK] and headers."
EXTRACTED = ["programming language", "image format", "web protocol",
             "board game"]
QUESTIONS = ["Who maintains inkscape?", "What is the homepage of inkscape?",
             "Which version of inkscape is it?"]


def long_context():
    """RECORD within other records, 97,000 characters in all."""
    records = []
    for number in range(1000):
        name = f"package{number}"
        records.append(RECORD.replace("Wolfram Quester <wolfi@sigxcpu.org>",
                                      f"Debian Team {number} <t{number}@x.org>")
                       .replace("inkscape", name))
    records.insert(250, RECORD)
    return "\n\n".join(records)[:97_000]
