"""Requests at a fixed rate, whether or not answers come: what tills do to a server that is too slow for them.

One process, one loop over the kept-alive connections of 256 tills, opened before; a request that is due while all of
them wait is not sent. Latency counts from the moment at which a request was due, so that a server which stalls does
not slow down those who measure it.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from typing import NamedTuple

TILLS = 256
LAST_WAIT_SECONDS = 10.0


class Told(NamedTuple):
    """One answer: its status (0: the connection was refused or broken), when it was due, how long it took."""

    status: int
    due: float
    seconds: float
    says_when: bool


class Flooded(NamedTuple):
    """What became of a flood. ``unsent``: due while all connections waited for answers."""

    told: list[Told]
    unsent: int
    began: float
    seconds: float

    def latencies(self, status: int) -> list[float]:
        """Return the seconds of the answers with a status, ascending."""
        return sorted(one.seconds for one in self.told if one.status == status)

    def count(self, status: int) -> int:
        """Return how many answers had a status."""
        return sum(one.status == status for one in self.told)


def at_share(ordered: list[float], share: float) -> float:
    """Return a quantile in milliseconds; 0 of nothing."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


def flood(port: int, requests: list[bytes], per_second: float, seconds: float) -> Flooded:
    """Send requests at a rate for so many seconds, then wait for what is still to be answered."""
    return _Flood(port, requests).run(per_second, seconds)


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect_ex(("127.0.0.1", port))
        self.to_send = b""
        self.received = b""
        self.due = 0.0


class _Flood:
    def __init__(self, port: int, requests: list[bytes]) -> None:
        self._port, self._requests = port, requests
        self._selector = selectors.DefaultSelector()
        self._free: deque[_Connection] = deque()
        self._open = 0
        self._waiting = 0
        self._told: list[Told] = []
        self._unsent = 0

    def run(self, per_second: float, seconds: float) -> Flooded:
        self._open_all()
        began, sent = time.perf_counter(), 0
        total = int(per_second * seconds)
        while sent < total or (self._waiting and time.perf_counter() < began + seconds + LAST_WAIT_SECONDS):
            now = time.perf_counter()
            while sent < total and began + sent / per_second <= now:
                self._send(self._requests[sent % len(self._requests)], began + sent / per_second)
                sent += 1
            next_due = began + sent / per_second if sent < total else now + 0.1
            for key, events in self._selector.select(max(0.0, next_due - time.perf_counter())):
                self._go_on(key.data, events)
        self._told += [Told(0, began, LAST_WAIT_SECONDS, False)] * self._waiting
        for connection in self._free:
            connection.socket.close()
        self._selector.close()
        return Flooded(self._told, self._unsent, began, seconds)

    def _open_all(self) -> None:
        """Open the connections, a few at a time, and have each of them accepted."""
        for number in range(TILLS):
            connection = _Connection(self._port)
            self._free.append(connection)
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
            if number % 16 == 15:
                time.sleep(0.02)
        self._open = TILLS

    def _send(self, request: bytes, due: float) -> None:
        if self._free:
            connection = self._free.popleft()
            self._selector.unregister(connection.socket)
        elif self._open < TILLS:
            connection = _Connection(self._port)
            self._open += 1
        else:
            self._unsent += 1
            return
        connection.to_send, connection.received, connection.due = request, b"", due
        self._waiting += 1
        self._selector.register(connection.socket, selectors.EVENT_WRITE, connection)

    def _go_on(self, connection: _Connection, events: int) -> None:
        try:
            if connection.to_send:
                connection.to_send = connection.to_send[connection.socket.send(connection.to_send) :]
                if not connection.to_send:
                    self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
                return
            piece = connection.socket.recv(262144)
        except OSError:
            piece = b""
        connection.received += piece
        if not piece or _is_whole(connection.received):
            self._finish(connection, is_closed=not piece)

    def _finish(self, connection: _Connection, is_closed: bool) -> None:
        answer = connection.received
        if connection.due:
            status = int(answer[9:12]) if _is_whole(answer) else 0
            says_when = b"\r\nretry-after:" in answer[:2000].lower()
            self._told.append(Told(status, connection.due, time.perf_counter() - connection.due, says_when))
            self._waiting -= 1
            connection.due = 0.0
        if is_closed or b"\r\nconnection: close" in answer[:2000].lower():
            self._selector.unregister(connection.socket)
            connection.socket.close()
            self._open -= 1
            if connection in self._free:
                self._free.remove(connection)
        else:
            connection.received = b""
            self._free.append(connection)


def _is_whole(answer: bytes) -> bool:
    head, found, body = answer.partition(b"\r\n\r\n")
    return bool(found) and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or b"0")


def ready_requests(bodies: list[bytes]) -> list[bytes]:
    """Make the bytes of requests for decisions."""
    head = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return [head % len(body) + body for body in bodies]
