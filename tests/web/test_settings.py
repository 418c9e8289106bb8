"""Settings, from the environment and from a mapping, and the secret that is kept where none is set."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pos_discount.web import create_app
from pos_discount.web.secret import Secret, secret_text
from pos_discount.web.settings import Settings, SettingsError, settings_from_environment, settings_from_mapping

SECRET = "x" * 32


def test_the_environment_is_read_and_the_rest_is_as_the_page_says() -> None:
    assert settings_from_environment({"POS_DISCOUNT_AUTH": "off", "HOME": "/"}) == Settings(auth="off")
    read = settings_from_environment({"POS_DISCOUNT_SECRET": SECRET, "POS_DISCOUNT_DATABASE": "shop.db"})
    assert (read.auth, read.policies, read.database) == ("on", Path("policies"), Path("shop.db"))


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        pytest.param({}, ("POS_DISCOUNT_SECRET", "missing"), id="on without a secret"),
        pytest.param({"POS_DISCOUNT_SECRET": "short"}, ("POS_DISCOUNT_SECRET", "short"), id="a short secret"),
        pytest.param({"POS_DISCOUNT_AUTH": "no"}, ("POS_DISCOUNT_AUTH", "off"), id="neither on nor off"),
        pytest.param(
            {"POS_DISCOUNT_AUHT": "off", "POS_DISCOUNT_SECRET": SECRET}, ("did you mean POS_DISCOUNT_AUTH",), id="typo"
        ),
        pytest.param(
            {"POS_DISCOUNT_POLICY": "x", "POS_DISCOUNT_AUTH": "off"}, ("did you mean POS_DISCOUNT_POLICIES",), id="one"
        ),
        pytest.param(
            {"POS_DISCOUNT_DATABASE": "postgresql://u:pw@db/shop", "POS_DISCOUNT_AUTH": "off"},
            ("POS_DISCOUNT_DATABASE", "file"),
            id="a database server",
        ),
        *(
            pytest.param(
                {"POS_DISCOUNT_SECRET": SECRET, f"POS_DISCOUNT_{name}": os.fsdecode(b"\xff" * 32)},
                (f"POS_DISCOUNT_{name}", "UTF-8"),
                id=f"bytes that are no text as {name.lower()}",
            )
            for name in ("SECRET", "DATABASE", "POLICIES")
        ),
    ],
)
def test_what_is_wrong_with_the_environment_is_said(environment: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from_environment(environment)
    assert all(word in str(caught.value) for word in words)
    assert "pw" not in str(caught.value)


def test_what_a_cluster_sets_for_a_service_of_that_name_is_no_error() -> None:
    injected = {"POS_DISCOUNT_SERVICE_HOST": "10.0.0.1", "POS_DISCOUNT_PORT": "tcp://10.0.0.1:8000"}
    assert settings_from_environment({"POS_DISCOUNT_AUTH": "off"} | injected).auth == "off"


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"polices": "x"}, "did you mean 'policies'"),
        ({"auth": True}, "'auth' is bool"),
        ({"auth": "on"}, "'secret' is missing"),
        ({"auth": "off", "database": ""}, "'database' is empty"),
        ({"auth": "off", "port": "80"}, "expected one of"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said(mapping: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_from_mapping(mapping)


def test_an_app_is_refused_with_a_wrong_setting() -> None:
    with pytest.raises(SettingsError):
        create_app({"auth": "maybe"})


def test_without_a_secret_one_is_kept_beside_the_database_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(database=tmp_path / "shop.db", auth="off")
    with ThreadPoolExecutor(8) as threads:
        (secret,) = set(threads.map(lambda _: secret_text(settings), range(32)))
    assert len(secret) == 64
    kept = tmp_path / "shop.db.secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db.secret"]


def test_a_secret_that_is_set_is_kept_nowhere(tmp_path: Path) -> None:
    settings = Settings(database=tmp_path / "shop.db", auth="off", secret=SECRET)
    assert secret_text(settings) == SECRET
    assert list(tmp_path.iterdir()) == []


def test_a_pseudonym_depends_on_the_secret_and_the_customer_alone() -> None:
    one, other = Secret(SECRET), Secret("y" * 32)
    assert one.pseudonym("L-1") == Secret(SECRET).pseudonym("L-1")
    assert len({one.pseudonym("L-1"), one.pseudonym("L-2"), other.pseudonym("L-1")}) == 3
