"""A gunicorn worker with threads that no slow client can hold.

Gunicorn's own gives a connection to a thread as soon as it is there, and the thread then waits for a request that may
come one byte a minute, or never: a few dozen tills behind a bad line would stop a server. This one leaves a
connection with the poller until its request lies whole in the kernel's buffer, so that a thread never waits for a
line. It peeks and takes nothing, and asks the kernel to wake it only when what is missing has come. A body too large
for that is read by a thread against a deadline. Where all threads are taken, the poller refuses by itself, so that
nobody waits in a queue to be told to come again; and it closes by itself what a client hung up, so that a crowd that
leaves takes no thread from those who stay.
"""

from __future__ import annotations

import socket
import struct
import sys
import time
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, DefaultSelector, SelectorKey
from typing import Any

from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.util import write_nonblock  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from pos_discount.web.framing import MOST_WAITED_FOR, bytes_wanted, plain_length

REQUEST_SECONDS = 10.0
"""How long a client may take for one request, and a thread to read what of it was not waited for."""

SILENCE = struct.pack("ll", 5, 0)
"""The longest wait for a next byte, as the kernel takes it (seconds, microseconds)."""

SWITCH_SECONDS = 0.0005
"""How long a thread computes while others want to (Python's own is ten times as long): the poller and the thread that
writes give up the interpreter at every call to the kernel, and would wait that long each time to go on."""

MOST_SECONDS_UNSEEN = 0.05
"""How long a request may have lain there before the poller looked at it; the poller is late when too many come."""

LEAST_HANDED = 4
"""Requests that a late poller still hands over: one large body can make it late, and must not shut out a lone till."""

SECONDS_PER_CONNECTION, MOST_SECONDS_HELD_BACK = 1e-5, 0.0005
"""How long a worker holds back from a new connection for each that it has, and at the longest."""

SOON = 0.001
"""Seconds up to which a select found what was ready already; had it to wait for longer, that has just come."""

MOST_SECONDS_ORPHANED = 0.1
"""How long a worker may not know that its master is gone; until then a new master finds the port taken."""

CLOSED_BY_CLIENT = 8
"""The state of a TCP connection (CLOSE_WAIT) whose other end has said that it sends no more."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Gunicorn's worker with threads, which hands a request to a thread when it is whole and a thread is free."""

    _handed = 0
    _is_ssl = False
    _threads = 1

    def run(self) -> None:
        """Serve until told to stop."""
        self.poller = AttentiveSelector()
        self._is_ssl, self._threads = bool(self.cfg.is_ssl), int(self.cfg.threads)  # looked up by name, each time anew
        sys.setswitchinterval(SWITCH_SECONDS)
        super().run()

    def accept(self, listener: Any) -> None:
        """Take a new connection, the later the more there are here: all workers are woken for it, and the one that has
        fewest comes first. Tills stay connected, so one that took more would be full long before the others.
        """
        time.sleep(min(self.nr_conns * SECONDS_PER_CONNECTION, MOST_SECONDS_HELD_BACK))
        super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        """Hand a connection to a thread or, where its request isn't whole, leave it with the poller or let it go."""
        if not (self._is_ssl or _is_taken_in_part(conn)):
            seen = _peek(conn)
            if seen == b"" or (seen is not None and _is_cut_short(conn, seen)):
                self._let_go(conn)
                return
            if not _is_whole(conn, seen):
                self._leave_with_poller(conn)
                return
        conn.data_ready, conn.wanted, conn.waits_until = True, 1, None
        if self._has_room() or not self._refuse(conn):
            self._handed += 1
            super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Take a connection back from a thread."""
        self._handed -= 1
        super().finish_request(conn, fs)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Serve what is ready, and look up often enough to leave a dead master's port soon."""
        super().wait_for_and_dispatch_events(min(timeout, MOST_SECONDS_ORPHANED))

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
        if not self._is_ssl:
            conn.init()
            unreader = conn.parser.unreader
            if not isinstance(unreader.sock, DeadlineSocket):
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, SILENCE)
                unreader.sock = DeadlineSocket(conn.sock)
            unreader.sock.deadline = time.monotonic() + REQUEST_SECONDS
        return super().handle(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what is no request that HTTP knows by the edge's problem; anything else is a mistake of ours."""
        refuse = getattr(getattr(self.wsgi, "wsgi_app", None), "refuse_unreadable", None)
        if refuse is None or not isinstance(exc, ParseException):
            super().handle_error(req, client, addr, exc)
            return
        with suppress(OSError):
            write_nonblock(client, refuse())

    def _has_room(self) -> bool:
        """Tell whether a thread can take one more: fewer are given work when it has waited long to be looked at."""
        is_late = time.monotonic() - self.poller.ready_since > MOST_SECONDS_UNSEEN
        return self._handed < (max(LEAST_HANDED, self._threads // 4) if is_late else self._threads)

    def _refuse(self, conn: Any) -> bool:
        """Answer a request by the edge's refusal, without a thread; False where a thread must look at it."""
        refuse = getattr(getattr(self.wsgi, "wsgi_app", None), "refuse_unread", None)
        if refuse is None or not self.alive or self._is_ssl:
            return False
        try:
            seen = conn.sock.recv(MOST_WAITED_FOR, socket.MSG_PEEK | socket.MSG_DONTWAIT)
            length = plain_length(seen)
            answer = None if length is None else refuse(seen[: seen.find(b"\r\n\r\n") + 2])
            if answer is None:
                return False
            conn.sock.recv(length, socket.MSG_DONTWAIT)
            if conn.sock.send(answer, socket.MSG_DONTWAIT) < len(answer):
                raise BlockingIOError  # a client that does not read its answers
        except OSError:
            self._let_go(conn)
            return True
        conn.set_timeout()
        self.keepalived_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_client_socket_readable, conn))
        return True

    def _let_go(self, conn: Any) -> None:
        with suppress(OSError):
            conn.sock.recv(MOST_WAITED_FOR, socket.MSG_DONTWAIT)  # else closing would look like a failure
        self.nr_conns -= 1
        conn.close()

    def _leave_with_poller(self, conn: Any) -> None:
        conn.sock.setblocking(False)
        if getattr(conn, "waits_until", None) is None:
            conn.waits_until = time.monotonic() + REQUEST_SECONDS
        conn.timeout = conn.waits_until
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))


def _is_taken_in_part(conn: Any) -> bool:
    """Tell whether a thread took bytes of a pipelined request already, with those of the one before."""
    return bool(conn.initialized and conn.parser.unreader.buf.getvalue())


def _peek(conn: Any) -> bytes | None:
    """Return what lies in the kernel's buffer; None where that is nothing yet, empty where the client hung up."""
    try:
        seen: bytes = conn.sock.recv(MOST_WAITED_FOR, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    except OSError:
        return b""
    return seen


def _is_cut_short(conn: Any, seen: bytes) -> bool:
    """Tell whether a client hung up in the middle of a request: woken though what was asked for is not there."""
    if len(seen) >= getattr(conn, "wanted", 1):
        return False
    try:
        return bool(conn.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == CLOSED_BY_CLIENT)
    except OSError:
        return False  # no TCP: a thread finds out


def _is_whole(conn: Any, seen: bytes | None) -> bool:
    """Tell whether a request lies whole in what was seen; else have the kernel tell us when the rest is there."""
    last, wanted = getattr(conn, "wanted", 1), 1 if seen is None else bytes_wanted(seen)
    is_over = seen is not None and len(seen) < last  # woken early, by a kernel short of memory: a thread reads the rest
    if seen is not None and (len(seen) >= wanted or is_over):
        if last > 1:
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        return True
    if wanted != last:
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)
    conn.wanted = wanted
    return False


class AttentiveSelector(DefaultSelector):
    """A selector that knows since when, at the longest, what it last told of was ready."""

    ready_since = float("-inf")
    _told_at = float("-inf")

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Wait for what is ready."""
        asked_at = time.monotonic()
        told = super().select(timeout)
        now = time.monotonic()
        self.ready_since = now if now - asked_at > SOON else self._told_at  # having waited for it, it is fresh
        self._told_at = now
        return told


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
