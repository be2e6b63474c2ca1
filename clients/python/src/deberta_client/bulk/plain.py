"""Messages as JSON, as `deberta-client --json` writes them: every field, floats
with nine digits, from which the same float is read."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import FieldDescriptor


def _scalar(field: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_FLOAT:
        return lambda value: float(f"{value:.9g}")
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return plain
    return lambda value: value


def _fields(descriptor: Any) -> list[tuple[str, bool, bool, Any]]:
    return [(f.name, _is_repeated(f), f.has_presence, _scalar(f))
            for f in descriptor.fields]


def _is_repeated(field: Any) -> bool:
    # `label` is gone from newer protobuf, `is_repeated` new in it.
    try:
        return bool(field.is_repeated)
    except AttributeError:
        return bool(field.label == FieldDescriptor.LABEL_REPEATED)


_known: dict[str, list[tuple[str, bool, bool, Any]]] = {}


def plain(message: Any) -> dict[str, Any]:
    descriptor = message.DESCRIPTOR
    fields = _known.get(descriptor.full_name)
    if fields is None:
        fields = _known[descriptor.full_name] = _fields(descriptor)
    found: dict[str, Any] = {}
    for name, repeated, presence, convert in fields:
        if repeated:
            found[name] = [convert(v) for v in getattr(message, name)]
        elif not presence or message.HasField(name):
            found[name] = convert(getattr(message, name))
    return found
