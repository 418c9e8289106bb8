"""What can be wrong with the machine itself: Python, packages, SQLite, time zones, open files.

Imports nothing that could be missing, since what is missing is what it looks for.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module, metadata
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

State = Literal["ok", "warning", "problem"]
OK: Final = "ok"
WARNING: Final = "warning"
PROBLEM: Final = "problem"

OLDEST_PYTHON = (3, 11)
OLDEST_SQLITE = (3, 38, 0)  # strict tables, RETURNING
WAL_RESET_MENDED = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
ENOUGH_OPEN_FILES = 1024
YEARS = range(2025, 2100)


class Finding(NamedTuple):
    """One thing that was looked at: how it stands, what was found, what to do about it."""

    check: str
    state: State
    detail: str
    remedy: str = ""


def machine_findings() -> Iterator[Finding]:
    """Yield what is found on this machine, whatever the settings."""
    yield _python()
    yield _packages()
    yield _sqlite()
    yield _time_zones()
    yield _clock()
    yield from _open_files()
    yield _temporary_folder()


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        return Finding("python", PROBLEM, version, "install Python 3.11 or later and make the environment anew")
    return Finding("python", OK, f"{version} in {sys.prefix}")


def _packages() -> Finding:
    try:
        required = metadata.requires("pos-discount") or []
    except metadata.PackageNotFoundError:
        return Finding("packages", WARNING, "pos-discount is not installed, only found", "pip install .")
    wanted = [text for text in required if "extra ==" not in text]
    lacking = [complaint for text in wanted if (complaint := _lacking(text))]
    if lacking:
        return Finding("packages", PROBLEM, "; ".join(lacking), "pip install --upgrade pos-discount")
    return Finding("packages", OK, f"all {len(wanted)} that it needs")


def _lacking(requirement: str) -> str | None:
    name = re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0]
    least = re.search(r">=\s*([\d.]+)", requirement)
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return None if ";" in requirement else f"{name} is missing"
    if least and version_numbers(found) < version_numbers(least[1]):
        return f"{name} is {found}, expected at least {least[1]}"
    return None


def version_numbers(text: str) -> tuple[int, ...]:
    """Read the numbers at the beginning of a version.

    >>> version_numbers("3.51.1.post2")
    (3, 51, 1)
    """
    numbers = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()


def _sqlite() -> Finding:
    try:
        module = import_module("pysqlite3.dbapi2")
    except ImportError:
        module = import_module("sqlite3")
    version = version_numbers(module.sqlite_version)
    found = f"{module.sqlite_version} ({module.__name__.split('.')[0]})"
    if version < OLDEST_SQLITE:
        return Finding("sqlite", PROBLEM, found, "pip install pysqlite3-binary, which brings a newer one")
    if has_wal_reset_fault(version):
        return Finding(
            "sqlite",
            WARNING,
            f"{found}: two who write a WAL at once can damage it; this service's processes take turns",
            "while it serves, let no other program write to the database",
        )
    return Finding("sqlite", OK, found)


def has_wal_reset_fault(version: tuple[int, ...]) -> bool:
    """Tell whether a SQLite has the fault by which concurrent checkpoints can damage a database in WAL mode.

    It was mended in 3.51.3, and in 3.44.6 and 3.50.7 of the older lines.

    >>> has_wal_reset_fault((3, 40, 1)), has_wal_reset_fault((3, 50, 7)), has_wal_reset_fault((3, 52, 0))
    (True, False, False)
    """
    same_line = next((mended for mended in WAL_RESET_MENDED if mended[:2] == version[:2]), WAL_RESET_MENDED[-1])
    return version < same_line


def _time_zones() -> Finding:
    try:
        ZoneInfo("Europe/Paris")
    except ZoneInfoNotFoundError:
        return Finding("time zones", PROBLEM, "no time zone data", "pip install tzdata")
    return Finding("time zones", OK, "known")


def _clock() -> Finding:
    now = datetime.now(UTC)
    if now.year not in YEARS:
        return Finding("clock", PROBLEM, now.isoformat(), "set the machine's clock, and keep it set by NTP")
    return Finding("clock", OK, now.isoformat(timespec="seconds"))


def _open_files() -> Iterator[Finding]:
    try:
        import resource
    except ImportError:
        return  # no such limit on this system
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < ENOUGH_OPEN_FILES:
        yield Finding("open files", WARNING, f"at most {soft}", f"raise it to {ENOUGH_OPEN_FILES}: LimitNOFILE=")
    else:
        yield Finding("open files", OK, "no limit" if soft < 0 else f"up to {soft}")


def _temporary_folder() -> Finding:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"pos-discount")
    except OSError as error:
        return Finding("temporary files", PROBLEM, str(error), "make the temporary folder writable, or set TMPDIR")
    return Finding("temporary files", OK, tempfile.gettempdir())
