"""Callers who mean harm, or know no better: refused cheaply, others are served, and nothing they write takes effect."""

from __future__ import annotations

import csv
import gzip
import io
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from .house import LINES, basket
from .serving import Service, Till, in_background

MIB = 1024 * 1024
POST = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def post(body: bytes, headers: bytes = b"") -> bytes:
    return POST + headers + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


HOSTILE = {
    "over 1 MiB": (post(b" " * (MIB + 1)), {413}),
    "giant that is only announced": (POST + b"Content-Length: 99999999999\r\n\r\n", {413}),
    "chunks without end": (CHUNKED + (b"10000\r\n%b\r\n" % (b" " * 65536)) * 20, {413}),
    "tiny chunks": (CHUNKED + b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n", {400}),
    "compressed bomb": (post(gzip.compress(b"[" * 30 * MIB), b"Content-Encoding: gzip\r\n"), {415}),
    "compressed in transit": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", {400, 415, 501}),
    "10,000 headers": (POST + b"X: y\r\n" * 10_000 + b"\r\n", {400, 431}),
    "a header of 1 MiB": (POST + b"X: " + b"y" * MIB + b"\r\n\r\n", {400, 431}),
    "deep lists": (post(b"[" * 500_000 + b"]" * 500_000), {400}),
    "deep objects": (post(b'{"a":' * 100_000 + b"1" + b"}" * 100_000), {400}),
    "deep attributes": (
        post(json.dumps(basket()).encode()[:-1] + b',"attributes":{"x":' + b"[" * 9999 + b"]" * 9999 + b"}}"),
        {400, 422},
    ),
    "1,001 lines": (
        post(json.dumps(basket(lines=[{**LINES[0], "line_id": str(n)} for n in range(1001)])).encode()),
        {422},
    ),
    "many faults": (post(b'{"lines":[' + b",".join([b"{}"] * 200_000) + b"]}"), {422}),
    "many unknown names": (post(json.dumps({f"n{n}": n for n in range(50_000)}).encode()), {422}),
    "a number of a million digits": (post(b'{"store_id":' + b"9" * 1_000_000 + b"}"), {422}),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 5\r\n\r\n{}", {400}),
    "length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", {400}),
    "no text at all": (bytes(range(256)) * 20 + b"\r\n\r\n", {400}),
}


@pytest.fixture
def others(service: Service) -> Iterator[None]:
    """Somebody else's sale, again and again beside what the test does: each call is served, none is told 'later'."""

    def sell() -> None:
        assert service.call("POST", "/v1/decisions", basket()).status == 201

    with in_background(sell):
        yield


def test_what_is_too_much_is_refused_while_others_are_served(service: Service, others: None) -> None:
    for name, (request, statuses) in HOSTILE.items():
        status = _send(service, request)
        assert status in statuses, (name, status)


def test_clients_that_never_finish_hold_up_nobody(service: Service, others: None) -> None:
    whole = post(json.dumps(basket()).encode())
    begun = [b"", b"P", POST, whole[:-1], CHUNKED + b"5\r\n{", post(b"")[:-2]]
    slow = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(120)]
    for number, one in enumerate(slow):
        one.sendall(begun[number % len(begun)])
    for _ in range(10):
        assert service.call("POST", "/v1/decisions", basket()).status == 201
    for one in slow:
        one.close()


def test_clients_that_hang_up_without_a_word_take_no_thread(service: Service, others: None) -> None:
    for _ in range(10):
        silent = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
        for one in silent:
            one.close()
        assert service.call("POST", "/v1/decisions", basket()).status == 201


INJECTED = [
    'line\nbreak\r\n{"event":"policy_in_force"}',
    "{{7*7}}${7*7}<%= 7*7 %>#{7*7}",
    "{amount} {total} %s %n %(name)s {0.__class__}",
    "'; DROP TABLE decisions; --",
    '" OR 1=1 --',
    "../../../../etc/passwd",
    "file:///etc/passwd",
    '=HYPERLINK("http://x","y")',
    "+1+cmd|' /C calc'!A0",
    "@SUM(1,1)",
    "-2+3",
    "\t=1+1",
    "<script>alert(1)</script>",
    "\u202ertl",
    "\x1b[31mred\x07",
    "\u2028\u2029\x85next",
    "$(touch /tmp/x)`id`|id;",
]


def test_no_text_takes_effect_in_log_table_or_answer(service: Service) -> None:
    till = Till(service)
    for number, text in enumerate(INJECTED):
        answer = till.call("POST", "/v1/decisions", _everywhere(text, number), f"injected-{number}")
        assert answer.status == 201, (text, answer.body)
        said = [rung["say"] for rung in answer.json()["ladder"]]
        assert said and not any("49" in sentence or "root:" in sentence for sentence in said)
        path = f"/v1/decisions/{answer.json()['decision_id']}/outcome"
        assert till.call("PUT", path, {"result": "left"}).status == 201
        named = {"X-Request-Id": f"injected-{number}"}
        service.call("POST", "/v1/decisions?dry_run=true", _everywhere(text, number), named)
    till.close()
    logged = [event for event in service.events() if str(event.get("request_id")).startswith("injected-")]
    assert len(logged) == len(INJECTED)  # a line each, and `events` has seen that every line is one object
    rows = service.rows("SELECT store_id FROM decisions WHERE sale_id LIKE 'injected-%' ORDER BY decision")
    assert [row[0] for row in rows] == INJECTED


def test_paths_headers_and_queries_take_no_effect_either(service: Service) -> None:
    logged = len(service.events())
    calls = [
        b"GET /v1/decisions/..%2f..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/decisions/%0a%7b%22event%22:%22bug%22%7d HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/decisions/'%20OR%201=1-- HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%ff%fe%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /docs?x=%3Cscript%3E HTTP/1.1\r\nHost: <script>\r\nX-Request-Id: <script>\r\n\r\n",
        b'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: a"}{b\r\nAuthorization: Bearer posd_1_secret\r\n\r\n',
    ]
    statuses = [_send(service, call) for call in calls]
    assert set(statuses) <= {200, 400, 404, 422}
    assert not [event for event in service.events()[logged:] if event["event"] == "bug"]
    assert "posd_1_secret" not in service.log.read_text()
    assert "<script>" not in service.call("GET", "/v1/%3Cscript%3E").body.decode()


def test_a_spreadsheet_opens_an_export_without_a_formula(service: Service) -> None:
    service.call("POST", "/v1/decisions", basket(store_id="=1+1"))
    table = list(csv.reader(io.StringIO(service.command("export"))))
    widths = {len(row) for row in table}
    assert len(widths) == 1
    cells = [cell for row in table for cell in row]
    assert "'=1+1" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-", "\t", "\r"))]


def _everywhere(text: str, number: int) -> dict[str, Any]:
    """Make a basket with a text in every field that takes any."""
    line = dict.fromkeys(("sku", "name", "category", "brand", "supplier"), text)
    lines = [
        {**line, "line_id": f"{text}{n}", "tags": [text], "quantity": 1, "unit_price": 5000, "attributes": {"a": text}}
        for n in range(2)
    ]
    customer = {"customer_id": text, "tier": text, "groups": [text], "attributes": {"a": text}}
    names = ("store_id", "till_id", "cashier_id", "authority", "channel", "region", "payment")
    return basket(
        **dict.fromkeys(names, text),
        sale_id=f"injected-{number}",
        lines=lines,
        coupons=[text],
        claimed=[text],
        attributes={"a": text},
        customer=customer,
    )


def _send(service: Service, request: bytes) -> int:
    """Send bytes as they are; returns the status, 400 where the connection was closed without one."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        with suppress(OSError):  # refused before all was sent
            connection.sendall(request)
        with suppress(ConnectionResetError):
            answer = connection.recv(65536)
            return int(answer[9:12]) if answer else 400
    return 400
