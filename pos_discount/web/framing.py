"""Where a request ends, told from its first bytes: so that it can be left where it is until all of it has come.

Nothing is taken or judged here: what is badly framed, or says twice how it is framed, is left to whoever reads it, and
no more of it is waited for.
"""

from __future__ import annotations

import re

from pos_discount.web.bodies import MOST_BYTES

MOST_WAITED_FOR = 64 * 1024
"""Bytes of one request that are waited for, as many as a kernel's buffer holds; the rest is read as it comes."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", re.IGNORECASE)
_TRANSFER = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,8})[ \t]*(?:;|$)", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:", re.IGNORECASE)


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
