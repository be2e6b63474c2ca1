"""deberta-client, as the package installs it: the command bulk."""

from __future__ import annotations

import argparse
import functools
import inspect
import os
import shutil
import sys
import textwrap
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deberta_client.bulk.jobs import TASKS, Task
from deberta_client.bulk.rows import FORMATS
from deberta_client.bulk.run import USAGE, Run, bulk
from deberta_client.channel import Tls

_HELP = {
    "aggregation": "how tokens become entities",
    "add_special_tokens": "put [CLS] and [SEP] around texts",
    "align_to_words": "answers begin and end with words",
    "function": "how logits become scores; the model's own rule if not given",
    "handle_impossible_answer": "let 'no answer' compete",
    "ignore_labels": "labels left out, separated by commas; O if not given",
    "keep_ignored": "show ignored labels too",
    "labels": "the labels, separated by commas",
    "length_policy": "of texts that are longer than the model reads",
    "max_answer_tokens": "longest answer in tokens; 0: the server's default",
    "max_window_tokens": "tokens of a window; 0: the server's default",
    "model": "the model to ask; not needed where only one has the task",
    "multi_label": "several labels may be true",
    "normalize": "scale vectors to length 1",
    "null_threshold": "rule squad_v2: margin of 'no answer', in logits",
    "offset_unit": "of offsets in texts",
    "overlap": "entities that overlap",
    "pooling": "how the vectors of tokens become one; the model's own if not given",
    "prompt": "of a GLiClass model: what it is to do",
    "raw_offsets": "keep the white space that tokens carry",
    "raw_scores": "logits in place of scores",
    "return_logits": "the logits too",
    "rule": "how answers are scored",
    "stride": "tokens, of extract words, that windows share",
    "targets": "the only words that compete, separated by commas",
    "template": "sentence with {} in place of the label",
    "threshold": "what scores more is found; the server's default if not given",
    "top_k": "most results a row; 0: all, of extract none",
}
_COLUMNS = {
    "text": "of texts", "text_pair": "of the second texts of pairs",
    "choices": "of the answers to choose from: a list, or in CSV a text with | "
               "between", "question": "of questions", "context": "of contexts",
    "query": "of queries", "document": "of documents",
}
# Of the program that is built from C++.
_OTHERS = ("classify", "tag", "answer", "fill", "zero-shot", "extract", "rerank",
           "embed", "tokenize", "models", "hash-token")


def _add_option(group: Any, name: str, parameter: inspect.Parameter,
                kind: Any) -> None:
    """As the task's function declares it."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not type(None))
    origin = typing.get_origin(kind)
    required = parameter.default is inspect.Parameter.empty
    options: dict[str, Any] = {
        "help": _HELP[name], "required": required,
        "default": None if required else parameter.default}
    if kind is bool:
        options["action"] = (argparse.BooleanOptionalAction if parameter.default
                             else "store_true")
    elif origin is typing.Literal:
        options["choices"] = typing.get_args(kind)
    elif kind in (int, float, str):
        options["type"] = kind
        options["metavar"] = {int: "N", float: "X", str: "TEXT"}[kind]
    else:
        options["type"] = lambda text: tuple(text.split(","))
        options["metavar"] = f"{name.removeprefix('ignore_')[:-1].upper()},..."
    if not required and options["default"] not in (None, "", (), False):
        options["help"] += " (default %(default)s)"
    group.add_argument(f"--{name}", **options)


def _task_options(task: Task) -> dict[str, tuple[inspect.Parameter, Any]]:
    signature = inspect.signature(task.job)
    kinds = typing.get_type_hints(task.job)
    return {name: (parameter, kinds[name])
            for name, parameter in signature.parameters.items()
            if name not in task.columns}


def _add_own(parser: argparse.ArgumentParser, task: Task) -> None:
    columns = parser.add_argument_group("columns of the table")
    for name in task.columns:
        columns.add_argument(f"--{name}", metavar="COLUMN", default=name,
                             help=_COLUMNS[name] + " (default %(default)s)")
    for name in task.more:
        columns.add_argument(f"--{name}", metavar="COLUMN", help=_COLUMNS[name])
    columns.add_argument("--key", metavar="COLUMN", help=(
        "what answers are told apart by; the row's number from 1 if not given"))
    group = parser.add_argument_group(f"options of {task.name}")
    for name, (parameter, kind) in _task_options(task).items():
        _add_option(group, name, parameter, kind)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, metavar="INPUT", help=(
        "a table: .jsonl, .csv (both may be .gz) or .parquet"))
    parser.add_argument("output", type=Path, metavar="OUTPUT", help=(
        "written when every row has an answer: .jsonl, .csv or .parquet"))
    servers = parser.add_argument_group("servers")
    servers.add_argument("--server", default="localhost:50051",
                         metavar="ADDRESS,...", help=(
                             "HOST:PORT, dns:///NAME:PORT or unix:/PATH, several "
                             "with commas between (default %(default)s)"))
    servers.add_argument("--streams", type=_positive(int), default=1, metavar="N",
                         help="to each server (default %(default)s)")
    servers.add_argument("--exact", action="store_true",
                         help="answers in fp32 (the server needs --keep_fp32)")
    servers.add_argument("--priority", choices=("high", "normal", "low"),
                         help="over the calls of others")
    servers.add_argument("--token_file", type=Path, metavar="FILE", help=(
        "of the token that the server asks for; else that of DEBERTA_TOKEN"))
    servers.add_argument("--tls", action="store_true",
                         help="TLS by the system's authorities")
    for name, what in (("ca", "of authorities, for TLS"), ("cert", "of a "
                       "certificate of the client's own"), ("key", "of its key")):
        servers.add_argument(f"--tls_{name}_file", type=Path, metavar="FILE",
                             help=f"PEM {what}")
    run = parser.add_argument_group("the run")
    run.add_argument("--json", action="store_true",
                     help="progress as JSON, a line a second, on stdout")
    run.add_argument("--restart", action="store_true",
                     help="begin anew in place of going on; replaces OUTPUT")
    run.add_argument("--patience", type=_positive(float), default=300.0,
                     metavar="SECONDS", help=(
                         "without any answer until it stops (default "
                         "%(default)g)"))
    run.add_argument("--stall_seconds", type=_positive(float), default=120.0,
                     metavar="SECONDS", help=(
                         "without an answer until a server counts as gone "
                         "(default %(default)g)"))
    run.add_argument("--max_request_bytes", type=_positive(int),
                     default=4194304, metavar="N", help=(
                         "the server's flag of that name: a row of more gets an "
                         "error (default %(default)s)"))
    for end in ("input", "output"):
        run.add_argument(f"--{end}_format", choices=FORMATS,
                         help=f"of {end.upper()} if its name does not tell")


def _positive(kind: Any) -> Any:
    def parse(text: str) -> Any:
        value = kind(text)
        if not value > 0:
            raise argparse.ArgumentTypeError(f"expected more than 0, got {text}")
        return value
    parse.__name__ = kind.__name__
    return parse


def _options_of_all() -> str:
    """For --help: the options of each task, then those that all have."""
    groups: list[tuple[str, Callable[[argparse.ArgumentParser], None]]] = [
        (f"bulk {task.name}: {task.help}", functools.partial(_add_own, task=task))
        for task in TASKS.values()]
    groups.append(("bulk, every task", _add_common))
    texts = []
    for title, add in groups:
        parser = argparse.ArgumentParser(add_help=False, usage=argparse.SUPPRESS)
        add(parser)
        text = parser.format_help().strip("\n")
        texts.append(f"{title}\n" + textwrap.indent(text, "  "))
    return "\n\n".join(texts)


class _Top(argparse.ArgumentParser):
    def format_help(self) -> str:
        return f"{super().format_help()}\n{_options_of_all()}\n"


def _parsers() -> argparse.ArgumentParser:
    top = _Top(
        prog="deberta-client", allow_abbrev=False,
        description="Asks DeBERTa servers about tables.",
        epilog="deberta-client bulk -h lists the tasks, deberta-client bulk TASK -h "
               "shows one alone. Other commands (classify, tag, models, ...) are "
               "those of the program of this name that comes with the server.")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True,
                                  parser_class=argparse.ArgumentParser)
    of_bulk = commands.add_parser(
        "bulk", help="answers every row of a table", allow_abbrev=False,
        description="Answers every row of a table, in order, each once. A run that "
                    "was stopped goes on when its command is given again.",
        epilog="Exit codes: 0 every row has an answer, 1 some have errors, 2 it "
               "cannot begin, 3 it stopped before its end.")
    of_tasks = of_bulk.add_subparsers(dest="task", metavar="TASK", required=True)
    for task in TASKS.values():
        parser = of_tasks.add_parser(task.name, help=task.help, allow_abbrev=False,
                                     usage=f"deberta-client bulk {task.name} "
                                           "[OPTIONS] INPUT OUTPUT",
                                     description=f"{task.help.capitalize()}.")
        _add_own(parser, task)
        _add_common(parser)
    return top


def _client(found: argparse.Namespace) -> dict[str, Any]:
    files = {name: getattr(found, f"tls_{name}_file")
             for name in ("ca", "cert", "key")}
    tls: Any = Tls(**files) if any(files.values()) else found.tls
    token = (found.token_file.read_text().strip() if found.token_file else None)
    return {"tls": tls, "token": token, "exact": found.exact,
            "priority": found.priority}


def _run(found: argparse.Namespace) -> Run:
    task = TASKS[found.task]
    columns = {name: getattr(found, name) for name in (*task.columns, *task.more)}
    return Run(
        task=task.name, input=found.input, output=found.output,
        columns={name: c for name, c in columns.items() if c is not None},
        options={name: getattr(found, name) for name in _task_options(task)},
        key=found.key, input_format=found.input_format,
        output_format=found.output_format,
        servers=tuple(found.server.split(",")), client=_client(found),
        streams=found.streams, patience=found.patience,
        stall_seconds=found.stall_seconds,
        # Less what the stream puts around a request.
        max_request_bytes=found.max_request_bytes - 512, restart=found.restart,
        json=found.json)


def _run_other(arguments: Sequence[str]) -> NoReturn:
    """The program of the same name that has the command."""
    here = os.path.realpath(sys.argv[0])
    for folder in os.get_exec_path():
        program = shutil.which("deberta-client", path=folder)
        if program is not None and os.path.realpath(program) != here and (
                not _is_script(program)):
            os.execv(program, [program, *arguments])
    sys.exit(f"deberta-client: {arguments[0]} is a command of the program that comes "
             "with the server, which is not on the PATH; this one has: bulk")


def _is_script(program: str) -> bool:
    with open(program, "rb") as file:
        return file.read(2) == b"#!"


def main(arguments: Sequence[str] | None = None) -> int:
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given and given[0] in _OTHERS:
        _run_other(given)
    found = _parsers().parse_args(given)
    try:
        run = _run(found)
    except OSError as error:
        print(f"deberta-client: {error.filename}: {error.strerror}",
              file=sys.stderr)
        return USAGE
    return bulk(run)
