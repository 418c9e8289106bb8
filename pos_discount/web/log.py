"""The log: one JSON object a line, so that nothing that came from outside can begin a line of its own."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import msgspec
import structlog
from structlog.typing import FilteringBoundLogger


def open_log(file: BinaryIO | None = None) -> FilteringBoundLogger:
    """Open the log on a binary file, by default standard error."""
    logger: FilteringBoundLogger = structlog.wrap_logger(
        structlog.BytesLogger(file or sys.stderr.buffer),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.ExceptionRenderer(),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(20),
        cache_logger_on_first_use=True,
    )
    return logger


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
    try:
        return msgspec.json.encode(event)
    except UnicodeEncodeError:  # a lone surrogate, which JSON can't hold
        return msgspec.json.encode({name: _plain(value) for name, value in event.items()})


def _plain(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
