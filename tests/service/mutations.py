"""Broken policies: what hands, editors and enemies make of a right one. Each is wrong, and wrong in some line."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .house import HOUSE, PROMOTIONS

MISTYPED = ("promotion", "bennefit", "amout", "limts", "uzes", "per_cent", "offer_", "nmae", "id_", "whenn")
BAD_VALUES = ("12.345", "-5", "NaN", "1e3", "[]", "{}", "~", "9" * 400, "'5 EUR'", "0x10", "2026-02-30")
SYNTAX = (
    "]",
    "}",
    "{",
    "[",
    "\t- x",
    "- - -",
    "'",
    '"',
    ": :",
    "%",
    "@",
    "`",
    "&a *a",
    "!!python/object:os.system x",
    "? ?",
)


def broken_policies(seed: int, count: int) -> Iterator[bytes]:
    """Yield so many contents of a file of promotions, each of which must be refused."""
    dice = Random(seed)
    makers = (_syntax, _mistyped, _bad_value, _twice, _no_text, _unknown_kind, _cut_short)
    giants = (_nested, _alias_bomb, _ten_megabytes, _many_aliases)
    for number in range(count):
        if number % 50 == 49:
            yield giants[number // 50 % len(giants)](dice)
        else:
            yield makers[number % len(makers)](dice)


def _lines() -> list[str]:
    return PROMOTIONS.strip("\n").split("\n")


def _joined(lines: list[str]) -> bytes:
    return "\n".join(lines).encode()


def _syntax(dice: Random) -> bytes:
    lines = _lines()
    lines.insert(dice.randrange(1, len(lines)), " " * dice.randrange(3) + dice.choice(SYNTAX))
    return _joined(lines)


def _mistyped(dice: Random) -> bytes:
    return _joined([*_lines(), f"    {dice.choice(MISTYPED)}: 5"])


def _bad_value(dice: Random) -> bytes:
    return PROMOTIONS.replace("{amount: 1.00}", f"{{amount: {dice.choice(BAD_VALUES)}}}").encode()


def _twice(dice: Random) -> bytes:
    lines = _lines()
    named = [number for number, line in enumerate(lines) if line.startswith("    name:")]
    chosen = dice.choice(named)
    return _joined([*lines[: chosen + 1], lines[chosen], *lines[chosen + 1 :]])


def _no_text(dice: Random) -> bytes:
    content = PROMOTIONS.encode()
    cut = dice.randrange(1, len(content))
    return content[:cut] + dice.choice((b"\0", b"\xff\xfe", b"\x07", b"\xed\xa0\x80")) + content[cut:]


def _unknown_kind(dice: Random) -> bytes:
    kind = dice.choice(("discount", "free", "exec", "percent_of", "__class__", "buy"))
    return PROMOTIONS.replace("{percent: 10%}", f"{{{kind}: 10%}}").encode()


def _cut_short(dice: Random) -> bytes:
    return PROMOTIONS.encode()[: PROMOTIONS.index("benefit", dice.randrange(100)) + 5]


def _nested(dice: Random) -> bytes:
    depth = dice.randrange(1_000, 100_000)
    return _joined([*_lines(), "    when: " + "[" * depth + "]" * depth])


def _alias_bomb(dice: Random) -> bytes:
    names = "abcdefghij"[: dice.randrange(8, 11)]
    lines = ["x0: &a [y, y, y, y, y, y, y, y, y]"]
    lines += [f"x{n}: &{name} [{', '.join(['*' + names[n - 1]] * 9)}]" for n, name in enumerate(names) if n]
    return _joined([*lines, *_lines()])


def _ten_megabytes(dice: Random) -> bytes:
    return PROMOTIONS.encode() + b"".join(
        b"  - {id: p%d, name: N, benefit: {percent: 1%%}}\n" % n for n in range(220_000)
    )


def _many_aliases(dice: Random) -> bytes:
    return _joined(["promotions:", "  - &p {id: p, name: N, benefit: {percent: 1%}}", *["  - *p"] * 20_000])


def house_with(promotions: bytes) -> dict[str, bytes]:
    """Return the files of a folder with these promotions."""
    return {"house.yaml": HOUSE.encode(), "offers.yaml": promotions}
