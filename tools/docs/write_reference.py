#!/usr/bin/env python3
"""Writes docs/configuration.md from the server's --help and docs/api.md from the
proto.

    tools/docs/write_reference.py BUILD_DIR            writes them
    tools/docs/write_reference.py BUILD_DIR --check    says whether they are so

Needs protoc and the package protobuf.
"""

import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = "deberta/v1/deberta.proto"
WRITTEN = "Written by `tools/docs/write_reference.py`; do not edit.\n"
FLAG = re.compile(r"  --(\w+)(?: \(default (.*)\))?$")


def cell(text):
    """In one line of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def configuration(text):
    """Of --help: groups whose titles end in a colon, flags two spaces in, their
    words six."""
    pages = ["# Configuration\n", WRITTEN, (
        "Flags of `deberta-server`. Each may also be set in the environment as "
        "`DEBERTA_` and its name in capitals; the flag wins. What a model's own "
        "directory says is in [directories.md](directories.md), with `deberta.json`, "
        "which goes before flags.\n")]
    flag = words = None

    def finish():
        if flag is not None:
            default = f"`{flag[2]}`" if flag[2] else ""
            pages.append(f"| `--{flag[1]}` | {default} | {cell(' '.join(words))} |")

    for line in text.splitlines()[text.splitlines().index("Models:"):]:
        if line and not line.startswith(" "):
            finish()
            flag = None
            pages.append(f"\n## {line.removesuffix(':')}\n")
            pages.append("| flag | default | |\n| --- | --- | --- |")
        elif found := FLAG.match(line):
            finish()
            flag, words = found, []
        elif line.strip():
            words.append(line)
    finish()
    return "\n".join(pages) + "\n"


class Api:
    def __init__(self, file):
        self.file = file
        self.comments = {
            tuple(place.path): place.leading_comments or place.trailing_comments
            for place in file.source_code_info.location}
        self.pages = ["# API\n", WRITTEN]

    def comment(self, *path):
        return self.comments.get(path, "")

    def page(self):
        self.pages.append(f"Package `{self.file.package}`, file "
                          f"[`{PROTO}`](../proto/{PROTO}).\n")
        # The file's own, which stands before `syntax`.
        self.pages.append(indented(self.comment(12)))
        for number, service in enumerate(self.file.service):
            self.service(number, service)
        self.pages.append("## Messages\n")
        for number, message in enumerate(self.file.message_type):
            self.message(number, message)
        self.pages.append("## Enums\n")
        for number, enum in enumerate(self.file.enum_type):
            self.enum(number, enum)
        return "\n".join(self.pages).rstrip() + "\n"

    def service(self, number, service):
        self.pages += [f"## {service.name}\n", indented(self.comment(6, number)),
                       "| method | request | response | |", "| --- | --- | --- | --- |"]
        for index, method in enumerate(service.method):
            def of(name, streamed):
                name = name.rsplit(".", 1)[-1]
                stream = "stream of " if streamed else ""
                return f"{stream}[{name}](#{name.lower()})"
            self.pages.append(
                f"| `{method.name}` | "
                f"{of(method.input_type, method.client_streaming)} | "
                f"{of(method.output_type, method.server_streaming)} | "
                f"{cell(self.comment(6, number, 2, index))} |")
        self.pages.append("")

    def message(self, number, message):
        self.pages += [f"### {message.name}\n", indented(self.comment(4, number))]
        if message.field:
            self.pages += ["| field | number | type | |", "| --- | ---: | --- | --- |"]
        for index, field in enumerate(message.field):
            self.pages.append(
                f"| `{field.name}` | {field.number} | {kind(field)} | "
                f"{cell(self.comment(4, number, 2, index))} |")
        self.pages.append("")

    def enum(self, number, enum):
        self.pages += [f"### {enum.name}\n", indented(self.comment(5, number)),
                       "| value | number | |", "| --- | ---: | --- |"]
        for index, value in enumerate(enum.value):
            self.pages.append(f"| `{value.name}` | {value.number} | "
                              f"{cell(self.comment(5, number, 2, index))} |")
        self.pages.append("")


def indented(comment):
    """Paragraphs; lists that the proto sets with spaces stay as they are."""
    lines = [line.removeprefix(" ") for line in comment.strip("\n").splitlines()]
    return "\n".join(f"    {line}".rstrip() for line in lines) + "\n" if any(
        line.startswith("  ") for line in lines) else "\n".join(lines) + "\n"


def kind(field):
    name = (f"[{(last := field.type_name.rsplit('.', 1)[-1])}](#{last.lower()})"
            if field.type_name else
            descriptor_pb2.FieldDescriptorProto.Type.Name(field.type)
            .removeprefix("TYPE_").lower())
    if field.label == descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def api():
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{ROOT}/proto", "--include_source_info",
                        f"--descriptor_set_out={out.name}", PROTO], check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(
            pathlib.Path(out.name).read_bytes())
    return Api(files.file[0]).page()


def main():
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        sys.exit(__doc__)
    shown = subprocess.run([f"{sys.argv[1]}/deberta-server", "--help"],
                           capture_output=True, text=True, check=True).stdout
    stale = False
    for name, text in (("configuration.md", configuration(shown)),
                       ("api.md", api())):
        path = ROOT / "docs" / name
        if len(sys.argv) == 2:
            path.write_text(text)
            continue
        before = path.read_text()
        stale |= before != text
        sys.stdout.writelines(difflib.unified_diff(
            before.splitlines(True), text.splitlines(True), f"docs/{name}",
            "what it should be"))
    if stale:
        sys.exit("docs are stale: run tools/docs/write_reference.py")


if __name__ == "__main__":
    main()
