"""The details that travel with a failed call."""

import dataclasses

import grpc

from google.rpc import error_details_pb2, status_pb2


@dataclasses.dataclass
class Failure:
    code: str
    message: str
    reason: str = ""
    domain: str = ""
    fields: tuple = ()
    retry_seconds: float | None = None


def failure(error: grpc.RpcError):
    found = Failure(error.code().name, error.details() or "")
    trailer = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(
        trailer.get("grpc-status-details-bin", b""))
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad_request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            found.reason, found.domain = info.reason, info.domain
        elif detail.Unpack(bad_request):
            found.fields = tuple(v.field for v in bad_request.field_violations)
        elif detail.Unpack(retry):
            found.retry_seconds = retry.retry_delay.ToTimedelta().total_seconds()
    return found


def failure_of(call, *arguments, **options):
    """The failure of a call that must fail."""
    try:
        reply = call(*arguments, **options)
    except grpc.RpcError as error:
        return failure(error)
    raise AssertionError(f"expected an error, got {reply}")
