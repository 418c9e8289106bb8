"""Bearer keys: how they are made, what is kept of them, and whose call a header makes.

A key is ``posd_ID_SECRET``. Only its id and a keyed digest are kept, so that a stolen database opens nothing; the
digest is compared in constant time. Hides the format from commands and service alike.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

from pos_discount.store import ApiKey
from pos_discount.web.problems import Problem

PREFIX = "posd"
Scope = Literal["till", "merchandiser", "analyst", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Caller(NamedTuple):
    """Whose call it is. ``stores`` empty: all of them. ``key_id`` is empty where keys are off."""

    key_id: str
    scope: str
    stores: frozenset[str]

    def may_act_for(self, store_id: str) -> bool:
        """Tell whether the key is bound to this store, or to none."""
        return not self.stores or store_id in self.stores


ANYONE = Caller("", "admin", frozenset())


class NewKey(NamedTuple):
    """A key as it is shown once, and what is kept of it."""

    token: str
    kept: ApiKey


def make_key(
    secret: str, scope: Scope, stores: tuple[str, ...], label: str, now: int, expires_at: int | None = None
) -> NewKey:
    """Make a key; moments are microseconds since 1970."""
    key_id = secrets.token_hex(6)
    token = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    return NewKey(token, ApiKey(key_id, key_digest(secret, token), scope, stores, label, now, expires_at))


def key_digest(secret: str, token: str) -> bytes:
    """Return what is kept of a key: HMAC-SHA256 under a key that is derived from the house's secret."""
    return _token_digest(_derived(secret), token)


def _derived(secret: str) -> hmac.HMAC:
    return hmac.new(hmac.digest(secret.encode(), b"pos-discount bearer keys", "sha256"), digestmod="sha256")


def _token_digest(derived: hmac.HMAC, token: str) -> bytes:
    digest = derived.copy()
    digest.update(token.encode())
    return digest.digest()


class KeyRing:
    """The keys that are in force, as they were last read."""

    def __init__(self, secret: str, keys: Iterable[ApiKey]) -> None:
        self._derived = _derived(secret)
        self._key_by_id = {key.key_id: key for key in keys}

    def caller(self, authorization: str | None, now: int) -> Caller:
        """Tell who calls by an Authorization header, or raise the `Problem` of a key that is missing or refused."""
        if not authorization:
            raise _refused("key_missing", "Send a key as 'Authorization: Bearer KEY'.")
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            raise _refused("key_refused", "Expected 'Authorization: Bearer KEY'.")
        token = token.strip()
        parts = token.split("_", 2)
        key = self._key_by_id.get(parts[1]) if len(parts) == 3 and parts[0] == PREFIX else None
        is_right = hmac.compare_digest(_token_digest(self._derived, token), key.hash if key else b"")
        if key is None or not is_right or key.revoked_at is not None or _is_over(key, now):
            raise _refused("key_refused", "This key is unknown, revoked or expired; ask for a new one.")
        return Caller(key.key_id, key.scope, frozenset(key.stores))


def _is_over(key: ApiKey, now: int) -> bool:
    return key.expires_at is not None and key.expires_at <= now


def _refused(code: str, detail: str) -> Problem:
    error = ', error="invalid_token"' if code == "key_refused" else ""
    return Problem(code, detail, headers=(("WWW-Authenticate", f'Bearer realm="pos-discount"{error}'),))
