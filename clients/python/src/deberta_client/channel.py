"""Connections: TLS, tokens, balancing over the addresses of a name."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import grpc

Token = Union[str, Callable[[], str], None]

_SERVICE_CONFIG = json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})


@dataclass(frozen=True)
class Tls:
    """PEM files. Without a CA the system's authorities are trusted; cert and key
    are the client's own, for mTLS. name is that of the server's certificate where
    it is not the target's."""

    ca: str | Path | None = None
    cert: str | Path | None = None
    key: str | Path | None = None
    name: str | None = None


@dataclass(frozen=True)
class Settings:
    """Of a client; see Client."""

    token: Token = None
    timeout: float | None = 60.0
    max_attempts: int = 5
    batch_size: int = 32
    max_request_bytes: int = 3 << 20
    concurrency: int = 4
    exact: bool = False
    priority: str | None = None
    progress: bool = False

    def metadata(self) -> tuple[tuple[str, str], ...]:
        found = []
        token = self.token() if callable(self.token) else self.token
        if token is None:
            token = os.environ.get("DEBERTA_TOKEN")
        if token:
            found.append(("authorization", f"Bearer {token.strip()}"))
        if self.exact:
            found.append(("x-deberta-precision", "fp32"))
        if self.priority is not None:
            found.append(("x-deberta-priority", self.priority))
        return tuple(found)


def _bytes(path: str | Path | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()


def open_channel(module: Any, target: str, tls: Tls | bool) -> Any:
    """module is grpc or grpc.aio."""
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.service_config", _SERVICE_CONFIG),
        # gRPC's own is two minutes, in which a server that is back is not seen.
        ("grpc.max_reconnect_backoff_ms", 5000),
        # gRPC's own is half a minute, in which all servers that a name had may
        # have been replaced.
        ("grpc.dns_min_time_between_resolutions_ms", 200),
    ]
    if not tls:
        return module.insecure_channel(target, options=options)
    files = tls if isinstance(tls, Tls) else Tls()
    if files.name is not None:
        options.append(("grpc.ssl_target_name_override", files.name))
    credentials = grpc.ssl_channel_credentials(
        _bytes(files.ca), _bytes(files.key), _bytes(files.cert))
    return module.secure_channel(target, credentials, options=options)
