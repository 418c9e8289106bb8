"""The service under gunicorn: real processes and real sockets, attacked by slow, endless and odd clients."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pos_discount.web.server import Listening, refuse_beyond_loopback, serve
from pos_discount.web.settings import Settings, SettingsError
from tests.web.house import basket, write_policy

BODY = json.dumps(basket()).encode()
REQUEST = (
    b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    % (
        len(BODY),
        BODY,
    )
)
LISTENS = "00010000"
"""The kernel's mark of a listening socket in its table of UNIX sockets."""

PROGRAM = """
import sys
from pathlib import Path
from pos_discount.web.server import Listening, serve
from pos_discount.web.settings import Settings
folder, port = Path(sys.argv[1]), int(sys.argv[2])
settings = Settings(folder / "policies", folder / "test.db", "off", "a secret for the tests")
serve(settings, Listening(port=port, workers=2, threads=8))
"""


class Server:
    """A server of two workers with eight threads each."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.process = folder, port, process

    def call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(child) for child in children.split()}


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    write_policy(folder / "policies")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder), str(port)], stderr=log, stdout=log, env=environment
        )
        server = Server(folder, port, process)
        try:
            _wait_until_ready(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _wait_until_ready(server: Server) -> None:
    for _ in range(600):
        try:
            if server.call("GET", "/readyz")[0] == 200:
                return
        except OSError:
            pass
        assert server.process.poll() is None, (server.folder / "log").read_text()
        time.sleep(0.1)
    raise AssertionError("the server did not become ready")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("server")) as server:
        yield server


def test_a_decision_and_its_outcome_over_a_kept_connection(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/v1/decisions", BODY, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    assert (answer.status, answer.getheader("Connection")) == (201, "keep-alive")
    path = f"/v1/decisions/{told['decision_id']}/outcome"
    connection.request("PUT", path, b'{"result": "bought_at_base"}', {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 201
    answer.read()
    connection.close()


def test_what_one_worker_records_every_worker_reads(server: Server) -> None:
    told = json.loads(server.call("POST", "/v1/decisions", BODY)[1])
    answers = [server.call("GET", f"/v1/decisions/{told['decision_id']}") for _ in range(8)]
    assert {status for status, _ in answers} == {200}
    assert len({content for _, content in answers}) == 1


def test_metrics_are_of_all_workers(server: Server) -> None:
    for _ in range(8):
        server.call("GET", "/healthz")
    text = server.call("GET", "/metrics")[1].decode()
    (line,) = [
        line
        for line in text.splitlines()
        if line.startswith('pos_discount_requests_total{method="GET",route="/healthz"')
    ]
    assert float(line.split()[-1]) >= 8


def test_clients_that_are_slow_or_silent_hold_up_nobody(server: Server) -> None:
    begun = [b"", b"P", REQUEST[:40], REQUEST[:-1], b"GET / HTTP/1.1\r\nX: "]
    slow = [server.connect() for _ in range(60)]
    for number, one in enumerate(slow):
        one.sendall(begun[number % len(begun)])
    with ThreadPoolExecutor(4) as threads:
        statuses = list(threads.map(lambda _: server.call("POST", "/v1/decisions", BODY)[0], range(20)))
    assert statuses == [201] * 20
    for one in slow:
        one.close()


def test_a_request_in_pieces_is_served(server: Server) -> None:
    with server.connect() as connection:
        for start in range(0, len(REQUEST), 100):
            connection.sendall(REQUEST[start : start + 100])
            time.sleep(0.01)
        assert connection.recv(65536).startswith(b"HTTP/1.1 201")


def test_two_requests_at_once_on_one_connection_are_both_served(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(REQUEST + REQUEST)
        received = b""
        while received.count(b"HTTP/1.1 201") < 2:
            piece = connection.recv(65536)
            assert piece
            received += piece


def test_a_client_that_hangs_up_in_the_middle_is_let_go(server: Server) -> None:
    for cut in (1, 40, len(REQUEST) - 1):
        with server.connect() as connection:
            connection.sendall(REQUEST[:cut])
            connection.shutdown(socket.SHUT_WR)
            connection.recv(65536)
    assert server.call("GET", "/healthz")[0] == 200


def test_a_body_that_waits_to_be_asked_for_is_asked_for(server: Server) -> None:
    with server.connect() as connection:
        head, _, body = REQUEST.partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(body)
        assert connection.recv(65536).startswith(b"HTTP/1.1 201")


POST = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "statuses"),
    [
        pytest.param(POST + b"Content-Length: 99999999\r\n\r\n", {413}, id="giant"),
        pytest.param(POST + b"X: y\r\n" * 10_000 + b"\r\n", {400}, id="10000 headers"),
        pytest.param(GET + b"X: " + b"y" * 9000 + b"\r\n\r\n", {400}, id="long header"),
        pytest.param(b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", {400}, id="long path"),
        pytest.param(b"GET /\xff HTTP/1.1\r\n\r\n", {400}, id="path of odd bytes"),
        pytest.param(b"GET / HTTP/7.1\r\n\r\n", {400}, id="another version"),
        pytest.param(GET + b"Authorization Bearer posd_0_mine\r\n\r\n", {400}, id="a key without a colon"),
        pytest.param(GET + b"SCRIPT_NAME: /x\r\n\r\n", {200}, id="an environment's name"),
        pytest.param(GET + b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off\r\n\r\n", {200}, id="two schemes"),
        pytest.param(GET + b"Expect: the-unexpected\r\n\r\n", {400}, id="another expectation"),
        pytest.param(POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n1", {400}, id="two lengths"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", {400}, id="negative length"),
        pytest.param(CHUNKED.replace(b"chunked", b"xchunked"), {400}, id="another coding"),
        pytest.param(CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n0\r\n\r\n", {400}, id="framed twice"),
        pytest.param(b"nonsense\r\n\r\n", {400}, id="nonsense"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400}, id="tls"),
        pytest.param(CHUNKED + b"zz\r\n", {400}, id="bad chunk"),
        pytest.param(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), {201}, id="chunks"),
        pytest.param(CHUNKED + (b"10000\r\n%b\r\n" % (b" " * 65536)) * 20, {413}, id="chunks without end"),
    ],
)
def test_an_odd_request_is_refused_or_served_and_the_next_one_too(
    server: Server, request_: bytes, statuses: set[int]
) -> None:
    with server.connect() as connection:
        with suppress(OSError):  # it may be refused before all was sent
            connection.sendall(request_)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        told = json.loads(answer.read())
    assert answer.status in statuses
    if answer.status >= 400:
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert answer.getheader("X-Request-Id") == told["request_id"]
        logged = [line for line in (server.folder / "log").read_text().splitlines() if told["request_id"] in line]
        assert [json.loads(line)["status"] for line in logged] == [answer.status]
    assert "posd_0_mine" not in (server.folder / "log").read_text()
    assert server.call("POST", "/v1/decisions", BODY)[0] == 201


def test_a_killed_worker_is_replaced_and_nothing_acknowledged_is_lost(server: Server) -> None:
    told = [json.loads(server.call("POST", "/v1/decisions", BODY)[1])["decision_id"] for _ in range(5)]
    before = server.workers()
    os.kill(next(iter(before)), signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len(server.workers() - before) < 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert {server.call("GET", f"/v1/decisions/{one}")[0] for one in told} == {200}


def test_workers_that_are_replaced_by_a_signal_leave_the_metrics_to_the_others(server: Server) -> None:
    before = server.workers()
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 60
    while (before & server.workers() or len(server.workers()) < 2) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not before & server.workers()
    _wait_until_ready(server)
    assert b"pos_discount_requests_total" in server.call("GET", "/metrics")[1]


def test_no_control_socket_is_opened(server: Server) -> None:
    assert not any(has_control_socket(process) for process in (server.process.pid, *server.workers()))
    with socket.socket(socket.AF_UNIX) as control:
        control.bind(f"\0control of {os.getpid()}")
        control.listen()
        assert has_control_socket(os.getpid())  # the search does find


def has_control_socket(process: int) -> bool:
    """Tell whether a process has a listening UNIX socket."""
    sockets = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    listening = {f"socket:[{fields[6]}]" for fields in sockets if fields[3] == LISTENS}
    opened = set()
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            opened.add(str(file.readlink()))
    return bool(listening & opened)


def test_the_log_is_lines_of_json(server: Server) -> None:
    server.call("GET", "/healthz")
    for line in (server.folder / "log").read_text().splitlines():
        assert json.loads(line)["event"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "shop.example", ""])
def test_without_keys_it_does_not_listen_beyond_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", "1")  # a socket for another process, not for this one
    with pytest.raises(SettingsError, match="keys create"):
        serve(Settings(auth="off"), Listening(host=host))
    refuse_beyond_loopback(Settings(auth="on", secret="x" * 32), host)


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1:8000"), ("::1", "[::1]:8000")])
def test_an_address_is_written_as_sockets_want_it(host: str, address: str) -> None:
    refuse_beyond_loopback(Settings(auth="off"), host)
    assert Listening(host=host).address == address
