"""The service's settings, read once from a mapping or from the environment into one frozen value.

Hides where a setting came from and how its text is read. A name that is nearly a setting's is an error, not silence:
a service that starts with a mistyped setting runs with another behaviour than its operator believes.
"""

from __future__ import annotations

import difflib
import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec

PREFIX = "POS_DISCOUNT_"
LEAST_SECRET = 8


class SettingsError(ValueError):
    """A setting that is unknown or can't be read; the message names it, says what was expected and what to do."""


class Settings(msgspec.Struct, frozen=True):
    """What the service is told from outside. ``secret`` None is possible with ``auth`` off only."""

    policies: Path = Path("policies")
    database: Path = Path("pos_discount.db")
    auth: Literal["on", "off"] = "on"
    secret: str | None = None


def settings_from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the variables that begin with ``POS_DISCOUNT_``.

    Other variables of that prefix are ignored (a cluster sets ``POS_DISCOUNT_SERVICE_HOST`` and the like for a
    service of that name) unless they are nearly a setting's name. Raises `SettingsError`.
    """
    names = {PREFIX + name.upper(): name for name in Settings.__struct_fields__}
    for name in environment:
        if name.startswith(PREFIX) and name not in names and (near := _nearest(name, names)):
            raise SettingsError(f"unknown setting {name}; did you mean {near}?")
    return _settings(
        {name: environment[variable] for variable, name in names.items() if environment.get(variable)}, PREFIX
    )


def settings_from_mapping(mapping: Mapping[str, object]) -> Settings:
    """Read settings by their short names: policies, database, auth, secret. Raises `SettingsError`."""
    for name in mapping:
        if name not in Settings.__struct_fields__:
            near = _nearest(str(name), Settings.__struct_fields__)
            hint = f"did you mean '{near}'?" if near else f"expected one of {', '.join(Settings.__struct_fields__)}"
            raise SettingsError(f"unknown setting '{name}'; {hint}")
    return _settings({name: value for name, value in mapping.items() if value is not None}, "")


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address is this machine's own; an empty one is a local socket's.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("::1")
    (True, True, False, True)
    """
    if host in ("", "localhost") or host.startswith("unix:"):
        return True
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def is_text(value: str) -> bool:
    """Tell whether what came from the environment was text in UTF-8, and not merely bytes."""
    return value.encode("utf-8", "replace").decode() == value


def _settings(given: Mapping[str, object], prefix: str) -> Settings:
    name_of = (lambda name: prefix + name.upper()) if prefix else (lambda name: f"'{name}'")
    for name, value in given.items():
        if not isinstance(value, str) and not (isinstance(value, Path) and name in ("policies", "database")):
            raise SettingsError(f"setting {name_of(name)} is {type(value).__name__}; expected text")
        if not is_text(str(value)):
            raise SettingsError(f"setting {name_of(name)} is no text; expected UTF-8")
    auth = str(given.get("auth", "on")).lower()
    if auth not in ("on", "off"):
        raise SettingsError(f"setting {name_of('auth')} is neither on nor off; expected one of them")
    secret = given.get("secret")
    if secret is None and auth == "on":
        raise SettingsError(
            f"setting {name_of('secret')} is missing: keys and pseudonyms need it; set it to at least 32 random "
            f"characters and keep it, or set {name_of('auth')} to off to serve on a loopback address without keys"
        )
    if secret is not None and len(str(secret)) < LEAST_SECRET:
        raise SettingsError(
            f"setting {name_of('secret')} is too short; expected 32 random characters, at least {LEAST_SECRET}"
        )
    return Settings(
        policies=Path(str(given.get("policies", "policies"))),
        database=_database(str(given.get("database", "pos_discount.db")), name_of("database")),
        auth="on" if auth == "on" else "off",
        secret=None if secret is None else str(secret),
    )


def _database(text: str, name: str) -> Path:
    if "://" in text:  # not repeated, since an address may hold a password
        raise SettingsError(f"setting {name} is an address; expected the name of a file on a disk of this machine")
    if not text.strip() or "\0" in text:
        raise SettingsError(f"setting {name} is empty or no file's name; expected a file on a disk of this machine")
    return Path(text)


def _nearest(name: str, names: Mapping[str, str] | tuple[str, ...]) -> str | None:
    return next(
        iter(difflib.get_close_matches(name, tuple(names), n=1, cutoff=0.85 if name.startswith(PREFIX) else 0.6)), None
    )
