"""The log: one JSON object a line on standard error, so that nothing that came from outside can begin a line of its
own.

Lines go straight to the file descriptor, each in one write: threads and processes don't mix theirs. A log that can't
be written (a pipe that nobody reads any more) never stops the service.
"""

from __future__ import annotations

import logging
import os
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger

STANDARD_ERROR = 2
_encode = msgspec.json.Encoder().encode
OTHER_LINE_ENDS = tuple((mark.encode(), f"\\u{ord(mark):04x}".encode()) for mark in "\x85\u2028\u2029")
"""What some readers take for the end of a line, and JSON needn't escape."""


def open_log(descriptor: int = STANDARD_ERROR) -> FilteringBoundLogger:
    """Open the log on a file descriptor."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        DescriptorLogger(descriptor),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.ExceptionRenderer(),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    return logger


class DescriptorLogger:
    """Writes finished lines, the way structlog asks for it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def msg(self, message: bytes) -> None:
        """Write one line."""
        with suppress(OSError):
            os.write(self._descriptor, message + b"\n")

    debug = info = warning = error = critical = exception = msg


class RequestLine(msgspec.Struct, frozen=True):
    """What the log says of one request."""

    method: str
    path: str
    route: str
    status: int
    ms: float
    request_id: str
    key_id: str
    time: datetime
    event: str = "request"
    level: str = "info"


class RequestLog:
    """Writes a line for each request, in the same form: made apart, since every request pays for it."""

    def __init__(self, descriptor: int = STANDARD_ERROR) -> None:
        self._logger = DescriptorLogger(descriptor)

    def write(self, line: RequestLine) -> None:
        """Write one line."""
        self._logger.msg(_encoded(line))


class LineFormatter(logging.Formatter):
    """Writes what libraries log in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as a JSON line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z")
        told = {"event": record.getMessage(), "logger": record.name, "level": record.levelname.lower(), "time": moment}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return _line(None, "", told).decode()


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> bytes:
    return _encoded(event)


def _encoded(event: Any) -> bytes:
    try:
        line = _encode(event)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can't hold
        fields = event if isinstance(event, MutableMapping) else msgspec.structs.asdict(event)
        line = _encode({name: _plain(value) for name, value in fields.items()})
    for mark, escaped in OTHER_LINE_ENDS:
        line = line.replace(mark, escaped)
    return line


def _plain(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
