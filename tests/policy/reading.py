"""Small policies for tests: a house and what a test adds to it, read from memory."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from pos_discount.policy import Policy, Problems, read_policy

HOUSE = """\
policy: 1
currency: EUR
time_zone: Europe/Paris
ranges:
  care: {category: care}
  make-up: {category: make-up}
"""


def read(promotions: str, **more: str | bytes) -> Policy | Problems:
    """Read a house and ``spring.yaml``; further files by name, with ``__`` for a dot."""
    files = {"house.yaml": HOUSE, "spring.yaml": dedent(promotions)} | {
        name.replace("__", "."): text for name, text in more.items()
    }
    return read_files(files)


def read_files(files: Mapping[str, str | bytes]) -> Policy | Problems:
    """Read files from memory."""
    return read_policy({name: text.encode() if isinstance(text, str) else text for name, text in files.items()})


def policy_of(read: Policy | Problems) -> Policy:
    """Expect a policy that could be read."""
    assert isinstance(read, Policy), str(read)
    return read


def lines_of(read: Policy | Problems) -> list[str]:
    """Return the problems as lines of text; none where the policy could be read."""
    return str(read).splitlines() if isinstance(read, Problems) else []


def promotion(benefit: str = "{percent: 10%}", more: str = "") -> str:
    """Return a file with one promotion; ``more`` has further keys, each on its own line."""
    keys = "".join(f"    {line}\n" for line in more.splitlines())
    return f"promotions:\n  - id: p\n    name: P\n    benefit: {benefit}\n{keys}"
