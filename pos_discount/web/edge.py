"""What surrounds every request, before and after Flask: a request id, a bound on how many run at once, one log line,
its metrics.

It is plain WSGI so that it holds for whatever happens inside, and so that a request too many costs next to nothing.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pos_discount.web.log import RequestLine, RequestLog
from pos_discount.web.metrics import Metrics
from pos_discount.web.problems import PROBLEM_TYPE, Problem, retry_later

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_ID = "pos_discount.request_id"
ROUTE = "pos_discount.route"
KEY_ID = "pos_discount.key_id"
NEVER_REFUSED = frozenset({"/healthz", "/readyz", "/metrics"})
MOST_PATH = 200
OVERLOADED = "503 Service Unavailable"
BAD_REQUEST = "400 Bad Request"
NO_REQUEST = "The request's first line, a header or its framing can't be read, or is too long."
MOST_SECONDS_WAITED = 0.02
"""How long a request waits for one of those before it to end: a few that come together are no overload yet."""

_CLOSES = re.compile(rb"\r\nconnection:[^\r\n]*close", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"\r\nx-request-id:[ \t]*([^\r\n]*)", re.IGNORECASE)
_GOOD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}")


class Edge:
    """Wraps a WSGI application; at most ``most_in_flight`` requests of this process run in it at once, a few more wait
    a moment."""

    def __init__(self, inner: WSGIApplication, log: RequestLog, metrics: Metrics, most_in_flight: int) -> None:
        self._inner = inner
        self._log = log
        self._metrics = metrics
        self._room = threading.Semaphore(most_in_flight)
        self._in_flight = 0
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()
        request_id = environ[REQUEST_ID] = request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        told = ["500"]

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            told[0] = status[:3]
            headers.extend(_headers_of_all(request_id))
            return start_response(status, headers, exc_info)

        self._count_in_flight(1)
        is_never_refused = environ["PATH_INFO"] in NEVER_REFUSED
        has_room = self._room.acquire(timeout=0 if is_never_refused else MOST_SECONDS_WAITED)
        try:
            if has_room or is_never_refused:
                return self._inner(environ, start)
            headers, body = self._refuse(request_id)
            start(OVERLOADED, headers)
            return [body]
        finally:
            if has_room:
                self._room.release()
            self._count_in_flight(-1)
            self._tell(environ, told[0], request_id, time.perf_counter() - started)

    def refuse_unread(self, head: bytes) -> bytes | None:
        """Make the whole answer to a request for which no thread is free, given its head; None where it must have one.

        Counted and logged like any other.
        """
        method, _, rest = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        path, _, version = rest.partition(" ")
        path = unquote(path.partition("?")[0])
        if version != "HTTP/1.1" or path in NEVER_REFUSED or _CLOSES.search(head):
            return None
        sent = _REQUEST_ID.search(head)
        request_id = request_id_of(sent[1].decode("latin-1") if sent else None)
        headers, body = self._refuse(request_id)
        self._tell({"REQUEST_METHOD": method, "PATH_INFO": path}, OVERLOADED[:3], request_id, 0.0)
        return _whole(OVERLOADED, [*headers, *_headers_of_all(request_id), ("Connection", "keep-alive")], body)

    def refuse_unreadable(self) -> bytes:
        """Make the whole answer to what is no request that HTTP knows; nothing of it is told, as a key may be in it.

        Counted and logged like any other.
        """
        request_id = request_id_of(None)
        headers, body = _problem(Problem("bad_request", NO_REQUEST), request_id)
        self._tell({"REQUEST_METHOD": "unknown", "PATH_INFO": ""}, BAD_REQUEST[:3], request_id, 0.0)
        return _whole(BAD_REQUEST, [*headers, *_headers_of_all(request_id), ("Connection", "close")], body)

    def _count_in_flight(self, more: int) -> None:
        with self._lock:
            self._in_flight += more
            self._metrics.tell("in_flight", self._in_flight)

    def _refuse(self, request_id: str) -> tuple[list[tuple[str, str]], bytes]:
        """Count a refusal; return its headers and body."""
        self._metrics.count_refusal()
        problem = retry_later("overloaded", "More requests are being answered than this server can; try again.")
        return _problem(problem, request_id)

    def _tell(self, environ: WSGIEnvironment, status: str, request_id: str, seconds: float) -> None:
        method = environ["REQUEST_METHOD"]
        route = environ.get(ROUTE, "unknown")
        self._metrics.count_request(route, method if route != "unknown" else "any", status, seconds)
        line = RequestLine(
            method=method[:16],
            path=environ["PATH_INFO"][:MOST_PATH],
            route=route,
            status=int(status),
            ms=round(seconds * 1000, 3),
            request_id=request_id,
            key_id=environ.get(KEY_ID, ""),
            time=datetime.now(UTC),
        )
        self._log.write(line)


def _problem(problem: Problem, request_id: str) -> tuple[list[tuple[str, str]], bytes]:
    body = problem.body(request_id)
    return [("Content-Type", PROBLEM_TYPE), ("Content-Length", str(len(body))), *problem.headers], body


def _whole(status: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """Write an answer as it goes over the wire."""
    told = [*headers, ("Date", formatdate(usegmt=True))]
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in told), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _headers_of_all(request_id: str) -> list[tuple[str, str]]:
    return [("X-Request-Id", request_id), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store")]


def request_id_of(sent: str | None) -> str:
    """Return the id that a caller sent, where it is a plain one, else a new one."""
    if sent is not None and _GOOD_ID.fullmatch(sent):
        return sent
    return "req_" + secrets.token_hex(12)
