"""Commands as the tests run them: in process, with an environment of their own, in a folder of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from pos_discount.cli import main

SECRET = "a secret that is long enough for a test, and stays"
UNSET = dict.fromkeys(f"POS_DISCOUNT_{name}" for name in ("POLICIES", "DATABASE", "AUTH", "SECRET"))
POLICIES = Path(__file__).parents[2] / "policies"


class Said(NamedTuple):
    """What a command ended with: its exit code and what it wrote to standard output and standard error."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Read the output as JSON."""
        return json.loads(self.out)


class Shop:
    """A folder with a database, and the settings that commands find in their environment."""

    def __init__(self, folder: Path, policies: Path = POLICIES) -> None:
        self.folder = folder
        self.database = folder / "shop.db"
        self.settings = {"policies": str(policies), "database": str(self.database), "auth": "on", "secret": SECRET}

    def run(self, *arguments: object, typed: str | bytes | None = None, **changed: str | None) -> Said:
        """Run a command with the shop's settings; ``changed`` sets one otherwise, None unsets it."""
        settings = {**self.settings, **changed}
        environment = {f"POS_DISCOUNT_{name.upper()}": value for name, value in settings.items()}
        result = CliRunner().invoke(main, [str(a) for a in arguments], env={**UNSET, **environment}, input=typed)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Said(result.exit_code, result.stdout, result.stderr)

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file


def basket(**changed: Any) -> dict[str, Any]:
    """Make a request as a till sends it, on which the shipped policies have several rungs."""
    lines = [
        {"line_id": "1", "sku": "CA-SHAMPOO-REPAIR", "name": "Repair shampoo", "quantity": 2, "unit_price": 1250},
        {"line_id": "2", "sku": "CA-BRUSH-PADDLE", "name": "Paddle brush", "quantity": 1, "unit_price": 1600},
        {"line_id": "3", "sku": "CA-SPRAY-HOLD", "name": "Hair spray", "quantity": 1, "unit_price": 1100},
    ]
    request = {"store_id": "S001", "currency": "EUR", "locale": "en", "at": "2026-03-10T10:00:00+01:00", "lines": lines}
    return {**request, **changed}
