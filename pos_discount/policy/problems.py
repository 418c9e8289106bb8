"""What is wrong with a policy, as values: each problem with its place, and the exception that carries all of them at
once.

A merchandiser mends a folder in one go, so reading never stops at the first problem.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pos_discount.policy.model import Place


class Problem(msgspec.Struct, frozen=True):
    """One thing that cannot be read or resolved: where it stands and what was expected there instead."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Problems(msgspec.Struct, frozen=True):
    """Everything that is wrong with a policy, by file and line; never empty."""

    problems: tuple[Problem, ...]

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class TooManyProblems(Exception):
    """So much is wrong that looking further would help nobody."""


class PolicyProblems(ValueError):
    """A policy that cannot be read. ``problems`` has them all, one per line of the message."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
