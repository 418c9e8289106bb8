"""Where a request ends: how much of it must be there before a thread takes it."""

from __future__ import annotations

import pytest

from pos_discount.web.framing import bytes_wanted, plain_length

CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (b"", 1),
        (b"GET", 4),
        (b"GET / HTTP/1.1\r\n\r\n", 18),
        (b"POST / HTTP/1.1\r\ncontent-LENGTH:  3 \r\nX: y\r\n\r\n", 49),
        (b"POST / HTTP/1.1\r\nX-Content-Length: 9\r\n\r\n", 40),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n", 64 * 1024),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 45),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", 60),
        (b"x" * 65536, 64 * 1024),
    ],
)
def test_a_thread_takes_a_request_when_it_is_whole(seen: bytes, wanted: int) -> None:
    assert bytes_wanted(seen) == wanted


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (b"", 1),
        (b"5", 1),
        (b"5\r\n", 7),
        (b"5\r\n{", 6),
        (b"5\r\n12345\r\n", 1),
        (b"5;name=value\r\n12345\r\n0", 1),
        (b"5\r\n12345\r\n0\r\n", 0),
        (b"0\r\n\r\n", 0),
        (b"zz\r\n", 0),
        (b"123456789\r\n", 0),
    ],
)
def test_a_thread_takes_a_request_in_chunks_when_its_last_is_there_or_one_is_wrong(body: bytes, missing: int) -> None:
    seen = CHUNKED + body
    assert max(0, bytes_wanted(seen) - len(seen)) == missing


@pytest.mark.parametrize(
    ("seen", "length"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 18),
        (b"GET / HTTP/1.1\r\n\r\nGET /", 18),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 40),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{", None),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", None),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", None),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}", None),
        (b"GET / HTTP/1.1\r\n", None),
    ],
)
def test_only_a_plain_request_that_is_whole_is_refused_without_a_thread(seen: bytes, length: int | None) -> None:
    assert plain_length(seen) == length
