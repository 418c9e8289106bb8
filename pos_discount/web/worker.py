"""A gunicorn worker with threads that no slow client can hold.

Gunicorn's own gives a connection to a thread as soon as it is there, and the thread then waits for a request that may
come one byte a minute, or never: a few dozen tills behind a bad line would stop a server. This one leaves a
connection with the poller until its request lies whole in the kernel's buffer, so that a thread never waits for a
line. It peeks and takes nothing, and asks the kernel to wake it only when what is missing has come. A body too large
for that is read by a thread against a deadline. Where all threads are taken, the poller refuses by itself, so that
nobody waits in a queue to be told to come again.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from pos_discount.web.bodies import MOST_BYTES

MOST_WAITED_FOR = 64 * 1024
REQUEST_SECONDS = 10.0
"""How long a client may take for one request, and a thread to read what of it was not waited for."""

SILENCE = struct.pack("ll", 5, 0)
"""The longest wait for a next byte, as the kernel takes it (seconds, microseconds)."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_TRANSFER = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,8})[ \t]*(?:;|$)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads, which hands a request to a thread when it is whole and a thread is free."""

    _handed = 0

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread or, where its request isn't whole, leave it with the poller."""
        if not (self.cfg.is_ssl or self._is_whole(conn)):
            self._leave_with_poller(conn)
            return
        conn.data_ready, conn.wanted, conn.waits_until = True, 1, None
        if self._handed < self.cfg.threads or not self._refuse(conn):
            self._handed += 1
            super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Take a connection back from a thread."""
        self._handed -= 1
        super().finish_request(conn, fs)

    def is_parent_alive(self) -> bool:
        """Tell whether the master lives; where it doesn't, leave its port at once to the one that comes after it."""
        is_alive: bool = super().is_parent_alive()
        if not is_alive:
            self.set_accept_enabled(False)
            for listener in self.sockets:
                listener.close()
        return is_alive

    def handle(self, conn: Any) -> Any:
        """Serve one request, in a thread."""
        if not self.cfg.is_ssl:
            conn.init()
            unreader = conn.parser.unreader
            if not isinstance(unreader.sock, DeadlineSocket):
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, SILENCE)
                unreader.sock = DeadlineSocket(conn.sock)
            unreader.sock.deadline = time.monotonic() + REQUEST_SECONDS
        return super().handle(conn)

    def _is_whole(self, conn: Any) -> bool:
        if conn.initialized and conn.parser.unreader.buf.getvalue():
            return True  # a pipelined request, part of which was taken already
        try:
            seen = conn.sock.recv(MOST_WAITED_FOR, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            seen = None
        except OSError:
            return True  # reset: a thread finds out and closes it
        last, wanted = getattr(conn, "wanted", 1), 1 if seen is None else bytes_wanted(seen)
        is_over = seen is not None and len(seen) < last  # woken without what was asked for: no more will come
        if seen is not None and (len(seen) >= wanted or not seen or is_over):
            if last > 1:
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            return True
        if wanted != last:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
        conn.wanted = wanted
        return False

    def _refuse(self, conn: Any) -> bool:
        """Answer a request by the edge's refusal, without a thread; False where a thread must look at it."""
        refuse = getattr(getattr(self.wsgi, "wsgi_app", None), "refuse_unread", None)
        if refuse is None or not self.alive or self.cfg.is_ssl:
            return False
        try:
            seen = conn.sock.recv(MOST_WAITED_FOR, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            length = plain_length(seen)
            answer = None if length is None else refuse(seen[: seen.find(b"\r\n\r\n") + 2])
            if answer is None:
                return False
            conn.sock.setblocking(False)
            conn.sock.recv(length)
            if conn.sock.send(answer) < len(answer):
                raise BlockingIOError  # a client that does not read its answers
        except OSError:
            self.nr_conns -= 1
            conn.close()
            return True
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))
        return True

    def _leave_with_poller(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        if getattr(conn, "waits_until", None) is None:
            conn.waits_until = time.monotonic() + REQUEST_SECONDS
        conn.timeout = conn.waits_until
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))


class DeadlineSocket:
    """A socket that reads until a moment and no longer."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = float("inf")

    def recv(self, size: int) -> bytes:
        """Receive up to so many bytes; raises TimeoutError past the deadline or after too long a silence."""
        if time.monotonic() > self.deadline:
            raise TimeoutError("the request took too long to come")
        try:
            return self._sock.recv(size)
        except BlockingIOError:
            raise TimeoutError("the client fell silent in the middle of a request") from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def bytes_wanted(seen: bytes) -> int:
    r"""Return how many bytes must be there before a thread takes a request, given its first bytes.

    >>> bytes_wanted(b"GET / HTTP/1.1\r\n\r\n"), bytes_wanted(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n1")
    (18, 43)
    """
    end = seen.find(b"\r\n\r\n")
    if end < 0:
        return min(len(seen) + 1, MOST_WAITED_FOR)
    if _EXPECT.search(seen, 0, end):
        return end + 4  # the client waits to be told to go on, which only a thread does
    if _CHUNKED.search(seen, 0, end + 2):
        return _bytes_to_last_chunk(seen, end + 4)
    found = _LENGTH.search(seen, 0, end + 2)
    length = int(found[1]) if found else 0
    return end + 4 if length > MOST_BYTES else min(end + 4 + length, MOST_WAITED_FOR)  # beyond, it is refused unread


def plain_length(seen: bytes) -> int | None:
    r"""Return the length of a request that lies whole in these bytes; None where that takes more than a look.

    >>> plain_length(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345GET"), plain_length(b"GET /")
    (43, None)
    """
    end = seen.find(b"\r\n\r\n")
    if end < 0 or _EXPECT.search(seen, 0, end + 2) or _TRANSFER.search(seen, 0, end + 2):
        return None
    lengths = _LENGTH.findall(seen, 0, end + 2)
    length = end + 4 + (int(lengths[0]) if lengths else 0)
    return length if len(lengths) < 2 and length <= len(seen) else None


def _bytes_to_last_chunk(seen: bytes, begin: int) -> int:
    """Return how many bytes must be there of a body in chunks; chunks that are badly framed are left to a thread."""
    while begin < len(seen):
        line_end = seen.find(b"\r\n", begin)
        if line_end < 0:
            break
        size = _CHUNK_SIZE.match(seen, begin, line_end)
        if size is None or int(size[1], 16) == 0:
            return begin
        begin = line_end + 2 + int(size[1], 16) + 2
    return min(max(begin, len(seen) + 1), MOST_WAITED_FOR)
