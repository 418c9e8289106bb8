"""What a caller is told when a call can't be served, and what the log is."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from pos_discount.web.edge import Edge, request_id_of
from pos_discount.web.log import RequestLog
from pos_discount.web.metrics import Metrics
from tests.web.house import basket, decide, make_app

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        pytest.param("POST", "/v1/decisions", JSON, b"{", 400, "not_json", id="not json"),
        pytest.param("POST", "/v1/decisions", JSON, b"", 400, "not_json", id="no body"),
        pytest.param("POST", "/v1/decisions", JSON, b"[" * 500_000, 400, "not_json", id="deep"),
        pytest.param("POST", "/v1/decisions", JSON, b"x" * (1 << 20) + b"x", 413, "too_large", id="large"),
        pytest.param("POST", "/v1/decisions", JSON, b"{}", 422, "invalid", id="wrong"),
        pytest.param("POST", "/v1/decisions", {}, b"{}", 415, "unsupported_media_type", id="no type"),
        pytest.param(
            "POST", "/v1/decisions", {"Content-Type": "text/xml"}, b"", 415, "unsupported_media_type", id="xml"
        ),
        pytest.param(
            "POST",
            "/v1/decisions",
            {"Content-Type": "application/json; charset=latin-1"},
            b"{}",
            415,
            "unsupported_media_type",
            id="charset",
        ),
        pytest.param(
            "POST",
            "/v1/decisions",
            {**JSON, "Content-Encoding": "gzip"},
            b"\x1f\x8b",
            415,
            "unsupported_media_type",
            id="compressed",
        ),
        pytest.param("PUT", "/v1/decisions/x/outcome", JSON, b"nul", 400, "not_json", id="outcome"),
        pytest.param("POST", "/v1/outcomes", JSON, b"1", 422, "invalid", id="batch"),
        pytest.param("GET", "/v1/decision", {}, b"", 404, "not_found", id="no path"),
        pytest.param("GET", "/v1/decisions/", {}, b"", 404, "not_found", id="slash"),
        pytest.param("GET", "/v1//policy", {}, b"", 404, "not_found", id="two slashes"),
        pytest.param("GET", "/../../etc/passwd", {}, b"", 404, "not_found", id="up"),
        pytest.param("GET", "/v1/policy?x=1", {}, b"", 422, "invalid", id="parameter"),
        pytest.param("DELETE", "/v1/policy", {}, b"", 405, "method_not_allowed", id="method"),
        pytest.param("OPTIONS", "/v1/decisions", {}, b"", 405, "method_not_allowed", id="options"),
        pytest.param("BREW", "/v1/decisions", {}, b"", 405, "method_not_allowed", id="unknown method"),
    ],
)
def test_a_call_that_can_not_be_served_is_told_why(
    client: FlaskClient, method: str, path: str, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    answer = client.open(path, method=method, headers=headers, data=body)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    told = json.loads(answer.data)
    assert set(told) - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert (told["status"], told["code"]) == (status, code)
    assert told["request_id"] == answer.headers["X-Request-Id"]


def test_a_method_that_is_not_allowed_is_told_with_those_that_are(client: FlaskClient) -> None:
    assert "POST" in client.get("/v1/decisions").headers["Allow"]


def test_chunks_without_end_are_left_at_the_bound(client: FlaskClient) -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1, /) -> bytes:
            self.taken += min(size, 65536)
            return b" " * min(size, 65536)

    stream = Endless()
    answer = client.post(
        "/v1/decisions",
        headers={**JSON, "Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 413
    assert stream.taken <= (1 << 20) + 65536


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("till-7/42", True),
        ("0af7651916cd43dd8448eb211c80319c", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("", False),
        ("two words", False),
        ("line\nbreak", False),
        ('"}{"x":"', False),
        ("../..", False),
        ("ключ", False),
    ],
)
def test_a_request_id_comes_back_where_it_is_a_plain_word(sent: str, is_taken: bool) -> None:
    assert (request_id_of(sent) == sent) == is_taken


def test_the_request_id_is_in_the_answer(client: FlaskClient) -> None:
    assert client.get("/healthz", headers={"X-Request-Id": "till-7/42"}).headers["X-Request-Id"] == "till-7/42"


def test_a_bug_is_told_to_the_log_alone(tmp_path: Path, capfd: Any) -> None:
    app = make_app(tmp_path)

    def fail() -> None:
        raise RuntimeError("the inner workings")

    app.view_functions["read_policy"] = fail
    answer = app.test_client().get("/v1/policy", headers={"X-Request-Id": "bug-1"})
    assert (answer.status_code, answer.json["code"]) == (500, "bug")
    assert "inner workings" not in answer.text
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (bug,) = [line for line in lines if line["event"] == "bug"]
    assert bug["request_id"] == "bug-1"
    assert "inner workings" in bug["exception"]


NASTY = [
    "a\nb",
    "\r\n{}",
    '"}',
    "\u2028",
    "{{7*7}}",
    "../../x",
    "'; DROP TABLE decisions; --",
    "=1+1",
    "\x1b[31m",
    "%s%n",
]


@pytest.mark.parametrize("text", NASTY)
def test_odd_text_makes_one_line_of_the_log_and_has_no_effect(capfd: Any, client: FlaskClient, text: str) -> None:
    capfd.readouterr()
    sent = basket(
        {
            "line_id": text,
            "sku": text,
            "quantity": 1,
            "unit_price": 100,
            "name": text,
            "category": text,
            "tags": [text],
        },
        store_id=text,
        till_id=text,
        sale_id=text,
        coupons=[text],
        claimed=[text],
        customer={"customer_id": text, "tier": text},
        attributes={text: text},
    )
    told = decide(client, **sent)
    assert told["discounts"] or told["not_applicable"]
    lines = [line for line in capfd.readouterr().err.splitlines() if '"request"' in line]
    assert len(lines) == 1
    assert json.loads(lines[0])["status"] == 201


def test_a_path_with_line_breaks_makes_one_line_of_the_log(capfd: Any, client: FlaskClient) -> None:
    capfd.readouterr()
    client.get("/v1/%0d%0a{%22event%22:%22forged%22}")
    events = [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()]
    assert events.count("request") == 1
    assert "forged" not in events


def test_a_request_too_many_is_refused_soon_and_health_still_answers() -> None:
    def inner(environ: Any, start_response: Any) -> list[bytes]:
        nested = dict(environ, PATH_INFO=environ["NEXT"], NEXT="/")
        answered: list[str] = []
        edge(nested, lambda status, headers, exc_info=None: answered.append(status))
        start_response("200 OK", [])
        seen.extend(answered)
        return []

    def leaf(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return []

    seen: list[str] = []
    edge = Edge(lambda e, s: (inner if e["NEXT"] != "/" else leaf)(e, s), RequestLog(), Metrics(), 1)
    for path, status in (("/v1/policy", "503 Service Unavailable"), ("/healthz", "200 OK")):
        seen.clear()
        edge({"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/policy", "NEXT": path}, lambda *_: None)
        assert seen == [status]


def test_a_request_that_finds_all_taken_is_served_when_one_of_those_before_it_ends_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pos_discount.web.edge.MOST_SECONDS_WAITED", 60.0)
    is_taken, may_end = threading.Event(), threading.Event()

    def inner(environ: Any, start_response: Any) -> list[bytes]:
        is_taken.set()
        may_end.wait()
        start_response("200 OK", [])
        return []

    edge = Edge(inner, RequestLog(), Metrics(), 1)
    statuses: list[str] = []

    def call() -> None:
        edge({"REQUEST_METHOD": "GET", "PATH_INFO": "/v1/policy"}, lambda status, *_: statuses.append(status))

    callers = [threading.Thread(target=call) for _ in range(2)]
    callers[0].start()
    is_taken.wait()
    callers[1].start()
    may_end.set()
    for caller in callers:
        caller.join()
    assert statuses == ["200 OK", "200 OK"]


def test_a_disk_that_refuses_is_told_as_503_with_a_time_to_wait(tmp_path: Path) -> None:
    app = make_app(tmp_path, database=str(tmp_path / "missing" / "test.db"))
    answer = app.test_client().post("/v1/decisions", json=basket())
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert answer.headers["Retry-After"]
    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200


def test_a_request_refused_unread_is_told_what_every_other_is() -> None:
    def leaf(environ: Any, start_response: Any) -> list[bytes]:
        raise AssertionError("nobody may be asked")

    edge = Edge(leaf, RequestLog(), Metrics(), 1)
    told = edge.refuse_unread(b"GET /v1/policy HTTP/1.1\r\nX-Request-Id: till-7\r\n")
    assert told is not None
    head, _, body = told.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    assert status == "HTTP/1.1 503 Service Unavailable"
    assert {"X-Request-Id: till-7", "X-Content-Type-Options: nosniff", "Cache-Control: no-store"} < set(headers)
    assert f"Content-Length: {len(body)}" in headers
