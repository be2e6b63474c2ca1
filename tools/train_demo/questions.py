"""Questions over rendered records, with and without an answer.

Field questions are answered by a line of the record, text questions by a
phrase that a pattern finds in the description. Fields are dropped at random
and questions about what is missing have no answer. Each kind keeps some
wordings for the held-out set alone.
"""

import re

import gazetteer
import records

# kind: (wordings for training, wordings seen only in the test)
FIELD_WORDINGS = {
    "maintainer": (
        ["Who maintains {p}?", "Who is the maintainer of {p}?",
         "Which person or team maintains {p}?", "Who takes care of {p}?",
         "Name the maintainer of the package."],
        ["Who looks after {p}?", "Which maintainer is responsible for {p}?"]),
    "email": (
        ["What is the maintainer's email address?",
         "Which email address belongs to the maintainer of {p}?",
         "Where can I write to the maintainer?"],
        ["What is the email address of the maintainer of {p}?"]),
    "version": (
        ["What version of {p} is this?", "Which version is described?",
         "What is the version of {p}?", "What is the version number?",
         "Which release of {p} is packaged?"],
        ["Which version of {p} is available?",
         "What version number does {p} have?"]),
    "homepage": (
        ["What is the homepage of {p}?", "Where is the website of {p}?",
         "What is the URL of the project?", "Where is {p} on the web?",
         "What is the web address of {p}?"],
        ["Which homepage does {p} have?", "What is the project's web page?"]),
    "section": (
        ["In which section is {p}?", "Which section does {p} belong to?",
         "What section is the package in?"],
        ["What is the archive section of {p}?"]),
    "source": (
        ["What is the source package of {p}?",
         "From which source package is {p} built?",
         "Which source does {p} come from?"],
        ["Which source package builds {p}?"]),
    "architecture": (
        ["What architecture is {p} built for?",
         "Which architecture does {p} run on?",
         "For which architecture is this package?"],
        ["What is the architecture of {p}?"]),
    "depends": (
        ["What does {p} depend on?", "Which packages does {p} need?",
         "What are the dependencies of {p}?"],
        ["Which packages does {p} depend on?"]),
    "installed_size": (
        ["How large is {p} when installed?", "What is the installed size?",
         "How much space does {p} take?"],
        ["What is the installed size of {p}?"]),
    "priority": (
        ["What is the priority of {p}?", "Which priority does {p} have?"],
        ["What priority is the package?"]),
}
TEXT_WORDINGS = {
    "language": (
        ["What language is {p} written in?",
         "In which programming language is {p} written?",
         "Which language is {p} implemented in?"],
        ["What programming language is {p} written in?"]),
    "definition": (
        ["What is {p}?", "What kind of software is {p}?"],
        ["What sort of program is {p}?"]),
    "contents": (
        ["What does this package contain?", "What does {p} provide?",
         "What is in the package?"],
        ["What does the package {p} contain?"]),
    "author": (
        ["Who wrote {p}?", "Who is the author of {p}?"],
        ["Who is {p} written by?"]),
    "licence": (
        ["What licence is {p} under?", "Which license does {p} have?"],
        ["Under which licence is {p} released?"]),
}
ALWAYS_OPEN = [
    "When was {p} first released?", "How many people use {p}?",
    "How many downloads does {p} have?", "What does {p} cost?",
    "Who pays for the development of {p}?", "How old is {p}?"]
KEEP_FIELD = 0.7
NO_ANSWER_SHARE = 0.3
SHORT_BODY = 180  # characters, in half of the examples

_WRITTEN = re.compile(
    r"(?:written|implemented|developed|programmed|coded)"
    r"(?: (?:entirely|completely|purely|mostly|in pure|from scratch))? in "
    r"(?:the |pure |plain |portable |standard )?(" +
    "|".join(sorted((re.escape(n) for n, k in gazetteer.NAMES.items()
                     if k == "LANGUAGE"), key=len, reverse=True)) +
    r"|C|R|D|Go|Rust|Scheme|Ada)(?![\w+#])")
_ANY_LANGUAGE = re.compile(
    r"\b(?:written|implemented|developed|programmed|coded) (?:\w+ )*in\b")
_CONTENTS = re.compile(
    r"[Tt]his (?:meta)?package (?:contains|provides|includes) "
    r"((?:[^.]|\.(?=\w)){5,90})[.:]")
_AUTHOR = re.compile(
    r"(?:written|created|developed) (?:and maintained )?by "
    r"([A-Z][\w.'-]+(?: [A-Z][\w.'-]+){1,2})(?=[ ,.;)])")
_LICENCE = re.compile(
    r"(?:licen[sc]ed|released|distributed|available) under (?:the )?"
    r"(?:terms of the )?([A-Z][\w+-]*(?:\.\w+)*"
    r"(?: (?:[A-Z][\w+-]*|v?\d+(?:\.\d+)*|[Ll]icen[sc]e))*)")


def find_text_answer(kind, record, context):
    """(start, end) of a text answer, None for none, False for do not ask."""
    at = context.find("Description: ")
    body = context[at:]
    if kind == "definition":
        name = re.escape(record["package"])
        found = re.search(
            rf"(?i)\b{name} is (an? (?:[^.,;:()]|\.(?=\w)){{6,80}}?)"
            r"(?=[.,;:(]| that | which | for | with | written | designed )", body)
        if not found:
            return False
    else:
        pattern = {"language": _WRITTEN, "contents": _CONTENTS,
                   "author": _AUTHOR, "licence": _LICENCE}[kind]
        found = pattern.search(body)
    if found:
        return at + found.start(1), at + found.end(1)
    doubtful = {"language": _ANY_LANGUAGE, "contents": re.compile("package"),
                "author": re.compile(r"\bby\b|author"),
                "licence": re.compile("(?i)licen[sc]e|GPL|BSD|MIT")}[kind]
    return False if doubtful.search(body) else None


def find_field_answer(kind, record, keys, context):
    field = "maintainer" if kind == "email" else kind
    if field not in keys or not records.value(record, field):
        return None
    label = dict(records.LABELS)[field] + ": "
    start = context.index(label) + len(label)
    end = context.find("\n", start)
    text = context[start:end]
    if field == "maintainer":
        mail = re.search(r"<([^>]*)>", text)
        if kind == "email":
            return ((start + mail.start(1), start + mail.end(1))
                    if mail else None)
        return start, start + (text.index(" <") if mail else len(text))
    return start, end


def wording(kind, rng, unseen):
    """A question's words; unseen picks among the held-out wordings."""
    train, test = (FIELD_WORDINGS.get(kind) or TEXT_WORDINGS[kind])
    return rng.choice(test if unseen else train)


def subject(record, rng):
    draw = rng.random()
    if draw < 0.75:
        return record["package"]
    return "this package" if draw < 0.9 else "it"


def make(record, rng, unseen=False):
    """One example: {context, question, kind, answer: (start, end) or None}."""
    keys = [k for k, _ in records.LABELS
            if k == "package" or rng.random() < KEEP_FIELD]
    if rng.random() < 0.25:
        rng.shuffle(keys)
    if rng.random() < 0.1:
        keys = []
    limit = records.MAX_BODY if rng.random() < 0.5 else SHORT_BODY
    context = records.render(record, keys, limit)
    answered, unanswered = {}, ["open"]
    for kind in FIELD_WORDINGS:
        found = find_field_answer(kind, record, keys, context)
        if found:
            answered[kind] = found
        else:
            unanswered.append(kind)
    for kind in TEXT_WORDINGS:
        found = find_text_answer(kind, record, context)
        if found:
            answered[kind] = found
        elif found is None:
            unanswered.append(kind)
    if not answered or rng.random() < NO_ANSWER_SHARE:
        kind, answer = rng.choice(unanswered), None
    else:
        texts = [k for k in answered if k in TEXT_WORDINGS]
        kinds = texts if texts and rng.random() < 0.5 else list(answered)
        kind = rng.choice(kinds)
        answer = answered[kind]
    words = (rng.choice(ALWAYS_OPEN) if kind == "open"
             else wording(kind, rng, unseen))
    return {"context": context, "kind": kind, "answer": answer,
            "question": words.format(p=subject(record, rng))}
