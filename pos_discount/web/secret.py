"""What the house's secret is used for: pseudonyms of customers, and marks of bodies; each with a key of its own.

A customer's real id goes no further than this: what is decided on, stored and logged is a keyed digest, which nobody
can turn back or try out without the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from pos_discount.basket import Basket
from pos_discount.web.settings import Settings, SettingsError

ANOTHER_SECRET = "the secret is not the one with which keys and pseudonyms were made"
"""Those keys are refused, and customers who were known are strangers."""


class Secret:
    """The house's secret, as the keys that are derived from it."""

    def __init__(self, text: str) -> None:
        self._customers = hmac.new(_derived(text, b"customer"), digestmod="sha256")
        self._bodies = _derived(text, b"body")
        self.fingerprint = fingerprint_of(text)

    def pseudonym(self, customer_id: str) -> str:
        """Return the name under which a customer is known inside: 64 hexadecimal digits (HMAC-SHA256)."""
        digest = self._customers.copy()  # the key is taken in once, not for every basket
        digest.update(customer_id.encode())
        return digest.hexdigest()

    def body_digest(self, *parts: bytes) -> bytes:
        """Return a digest by which a repeated call is told from another one with the same key."""
        digest = hashlib.blake2b(key=self._bodies, digest_size=16)
        for part in parts:
            digest.update(len(part).to_bytes(8))
            digest.update(part)
        return digest.digest()

    def pseudonymous(self, basket: Basket) -> Basket:
        """Replace a basket's customer id by its pseudonym."""
        customer = basket.customer
        if customer is None or customer.customer_id is None:
            return basket
        known = msgspec.structs.replace(customer, customer_id=self.pseudonym(customer.customer_id))
        return msgspec.structs.replace(basket, customer=known)


def fingerprint_of(text: str) -> bytes:
    """Return what is noted of a secret, to see when another one is set.

    Two bytes: enough to notice nearly every other secret, too few to tell by them whether a guess was right.
    """
    return _derived(text, b"fingerprint")[:2]


def secret_text(settings: Settings) -> str:
    """Return the secret that is set or, without keys, the one kept in a file beside the database.

    That file is made once, at random, readable by its owner alone: losing it would make strangers of all customers.
    """
    if settings.secret is not None:
        return settings.secret
    path = _beside(settings.database)
    try:
        return _kept(path) or _made(path)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; make its folder writable or set POS_DISCOUNT_SECRET") from error


def known_secret_text(settings: Settings) -> str | None:
    """Return the secret that is set or kept in a file, and make none where there is none yet."""
    return _kept(_beside(settings.database)) if settings.secret is None else settings.secret


def _beside(database: Path) -> Path:
    return database.with_name(database.name + ".secret")


def _kept(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    if not text:
        raise SettingsError(f"{path} is empty; restore it, or remove it if this database has no customers yet")
    return text


def _made(path: Path) -> str:
    """Make the file whole or not at all: of several processes that start at once, one wins and all use its secret."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return _kept(path) or ""


def _derived(text: str, purpose: bytes) -> bytes:
    return hmac.digest(text.encode(), b"pos-discount " + purpose, "sha256")
