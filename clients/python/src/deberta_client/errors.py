"""A failed call, with the details that travelled with it."""

from __future__ import annotations

import re
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
_DETAILS = "grpc-status-details-bin"
_INPUT = re.compile(r"(inputs|documents)\[(\d+)\]")


class CallError(Exception):
    """code is gRPC's ("INVALID_ARGUMENT"), reason the server's ("QUEUE_FULL").

    input is the index of the input that is to blame, in what the caller gave, not
    in the request that it travelled in; None where none is. retry_after is in
    seconds; None unless the server asks to come back.
    """

    def __init__(self, code: str, message: str, reason: str = "",
                 field: str = "", input: int | None = None,
                 retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.reason = reason
        self.field = field
        self.input = input
        self.retry_after = retry_after


def call_error(error: Any, first_input: int = 0) -> CallError:
    """Of a grpc.RpcError; first_input is the index of the request's inputs[0]."""
    details: dict[str, Any] = {}
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            details = _details(value)
    return _error(error.code().name, error.details() or "", details, first_input)


def answer_error(error: Any) -> CallError:
    """Of a ProcessError, whose request has one input."""
    return _error(_CODES[error.code], error.message, _details(error.details), 0)


def _error(code: str, message: str, details: dict[str, Any],
           first_input: int) -> CallError:
    found = _INPUT.search(details.get("field", "")) or (
        _INPUT.match(message))
    index = None if found is None else int(found[2]) + first_input

    def moved(text: str) -> str:
        return _INPUT.sub(
            lambda m: f"{m[1]}[{int(m[2]) + first_input}]", text, count=1)

    if "field" in details:
        details["field"] = moved(details["field"])
    return CallError(code, moved(message), input=index, **details)


def _details(trailer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        status = status_pb2.Status.FromString(trailer)
    except Exception:  # a proxy's own
        return found
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            found["reason"] = info.reason
        elif detail.Unpack(bad_request) and bad_request.field_violations:
            found["field"] = bad_request.field_violations[0].field
        elif detail.Unpack(retry):
            found["retry_after"] = retry.retry_delay.ToTimedelta().total_seconds()
    return found

