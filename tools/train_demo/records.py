"""Control records as text, the context of the question-answering task."""

import re

LABELS = (("package", "Package"), ("source", "Source"),
          ("version", "Version"), ("architecture", "Architecture"),
          ("section", "Section"), ("priority", "Priority"),
          ("maintainer", "Maintainer"), ("installed_size", "Installed-Size"),
          ("depends", "Depends"), ("homepage", "Homepage"))
MAX_DEPENDS = 4
MAX_BODY = 420  # characters of the long description, unless a caller says


def value(record, key):
    """A field as it is rendered; None when the record lacks it."""
    found = record.get(key)
    if not found:
        return None
    if key == "depends":
        names = [re.sub(r"\s*[(|\[].*", "", d).strip()
                 for d in found.split(",")]
        return ", ".join(dict.fromkeys(names[:MAX_DEPENDS]))
    return found


def body(record, limit):
    """The long description cut at a sentence's end."""
    text = record["long"].replace("\n", " ")
    if len(text) <= limit:
        return text
    ends = [m.end() for m in re.finditer(r"[.!?](?= )", text[:limit])]
    return text[:ends[-1]] if ends else text[:limit].rsplit(" ", 1)[0]


def render(record, keys=None, limit=MAX_BODY):
    """Text of a record: chosen fields in the given order, description last."""
    if keys is None:
        keys = [key for key, _ in LABELS]
    names = dict(LABELS)
    lines = [f"{names[key]}: {value(record, key)}"
             for key in keys if value(record, key)]
    lines.append("Description: " + record["short"])
    if record["long"]:
        lines.append(body(record, limit))
    return "\n".join(lines)
