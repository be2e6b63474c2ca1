"""A failed call, with the details that travelled with it."""

from __future__ import annotations

import re
from typing import Any

from google.rpc import error_details_pb2, status_pb2

_DETAILS = "grpc-status-details-bin"
_INPUT = re.compile(r"inputs\[(\d+)\]")


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
    code = error.code().name
    details: dict[str, Any] = {}
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            details = _details(value)
    found = _INPUT.search(details.get("field", "")) or (
        _INPUT.match(error.details() or ""))
    index = None if found is None else int(found[1]) + first_input

    def moved(text: str) -> str:
        return _INPUT.sub(
            lambda m: f"inputs[{int(m[1]) + first_input}]", text, count=1)

    if "field" in details:
        details["field"] = moved(details["field"])
    return CallError(code, moved(error.details() or ""), input=index, **details)


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

