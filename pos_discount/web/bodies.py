"""Bodies as values: read within bounds, decoded straight into their types, and looked at twice only where they are
wrong.

The hot path is one pass of a compiled decoder. Only a body that it refuses, or in which something may hide that it
can't see (a name that stands twice, a NUL), is parsed again by slower means that find every fault (see `faults`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NoReturn, Protocol, TypeVar

import msgspec
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from pos_discount.web.faults import Repeated, enumerate_faults, pointer_to
from pos_discount.web.problems import Fault, Problem, invalid

MOST_BYTES = 1024 * 1024
MOST_DIGITS = 4300  # beyond, Python refuses to read a whole number
MOST_DEPTH = 64
TOO_DEEP = "it is nested too deeply"
T = TypeVar("T")


class Stream(Protocol):
    """What a server hands over to read a body from."""

    def read(self, size: int, /) -> bytes: ...


def _nothing_more(_: object) -> tuple[Fault, ...]:
    return ()


def _nothing_salvaged(_: object, __: object) -> None:
    return None


def _never(_: bytes, __: object) -> bool:
    return False


class BodyReader(Generic[T]):
    """Reads one type of body.

    ``check`` tells what the type alone can't refuse; ``salvage`` makes a value of what is right in a wrong body, so
    that it can be checked too; ``may_hide`` tells whether a body that was read is worth the slow look; a body
    ``of_unread`` parts is looked at no further than those, as another reader does that for each.
    """

    def __init__(
        self,
        kind: type[T],
        check: Callable[[T], Iterable[Fault]] = _nothing_more,
        salvage: Callable[[Any, Sequence[Fault]], T | None] = _nothing_salvaged,
        may_hide: Callable[[bytes, T], bool] = _never,
        of_unread: bool = False,
    ) -> None:
        self._kind = kind
        self._check = check
        self._salvage = salvage
        self._may_hide = may_hide
        self._of_unread = of_unread
        self._decoder = msgspec.json.Decoder(kind)

    def read(self, body: bytes) -> T:
        """Decode a body, or raise the `Problem` that lists everything wrong with it."""
        try:
            value = self._decoder.decode(body)
        except msgspec.ValidationError:
            raise invalid(self._faults(body)) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            parse_json(body)  # takes nothing more, save the one thing
            raise not_json("a text holds half of a surrogate pair") from None
        faults = tuple(self._check(value))
        if (b"\\u0000" in body and not self._of_unread) or self._may_hide(body, value):
            faults = (*_plain_faults(parse_json(body), self._kind), *faults)
        if faults:
            raise invalid(faults)
        return value

    def _faults(self, body: bytes) -> tuple[Fault, ...]:
        plain = parse_json(body)
        faults = _plain_faults(plain, self._kind)
        salvaged = self._salvage(plain, faults)
        more = () if salvaged is None else tuple(self._check(salvaged))
        return (*faults, *more) or (Fault("", "invalid", "expected a body as the API describes it"),)


def read_stream(stream: Stream, length: int | None) -> bytes:
    """Read a body to its end, at most `MOST_BYTES`; ``length`` None: until the stream ends. Raises `Problem` beyond."""
    if length is not None and length > MOST_BYTES:
        raise _too_large()
    wanted = MOST_BYTES + 1 if length is None else length
    pieces, left = [], wanted
    try:
        while left > 0 and (piece := stream.read(left)):
            pieces.append(piece)
            left -= len(piece)
    except (OSError, ParseException):
        raise Problem("bad_request", "The body broke off or is badly framed.") from None
    if length is None and left <= 0:
        raise _too_large()
    if length is not None and left:
        raise Problem("bad_request", "The body ended before its Content-Length.")
    return b"".join(pieces)


def parse_json(body: bytes) -> Any:
    """Parse strict JSON into plain values, objects that repeat a name as `Repeated`; raises the `Problem` of what is
    no JSON.
    """
    try:
        plain = json.loads(body.decode(), object_pairs_hook=_object, parse_int=_whole, parse_constant=_refuse)
        _refuse_depth(plain, MOST_DEPTH)
    except json.JSONDecodeError as error:
        raise not_json(f"it can't be read from line {error.lineno}, column {error.colno} on") from None
    except UnicodeDecodeError as error:
        raise not_json(f"byte {error.start + 1} is not UTF-8") from None
    except RecursionError:
        raise not_json(TOO_DEEP) from None
    except ValueError as error:
        raise not_json(str(error)) from None
    return plain


def not_json(why: str) -> Problem:
    """Make the problem of a body that no JSON parser takes; ``why`` says where it ends to be JSON, never what stands
    there.
    """
    return Problem("not_json", f"Expected a JSON document (RFC 8259, UTF-8), at most {MOST_DEPTH} levels deep; {why}.")


def _too_large() -> Problem:
    return Problem("too_large", f"A body may have at most {MOST_BYTES} bytes.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    repeated = Repeated(plain)
    repeated.names = tuple(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
    return repeated


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits.lstrip("-")) <= MOST_DIGITS else float("inf")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(value: Any, levels: int) -> None:
    if not levels:
        raise ValueError(TOO_DEEP)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(item, (dict, list)):
            _refuse_depth(item, levels - 1)


def _plain_faults(plain: Any, kind: Any) -> tuple[Fault, ...]:
    return (*enumerate_faults(plain, kind), *_nul_faults(plain, ""))


def _nul_faults(value: Any, pointer: str) -> Iterator[Fault]:
    """Yield a fault for every text with a NUL, which not every database keeps."""
    if isinstance(value, str):
        if "\0" in value:
            yield Fault(pointer, "bad_character", "expected text without the character U+0000")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _nul_faults(name, pointer_to(pointer, name))
            yield from _nul_faults(item, pointer_to(pointer, name))
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _nul_faults(item, pointer_to(pointer, position))
