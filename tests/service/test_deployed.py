"""The units, the container and the compose file that an operator copies: what they run exists and is used rightly."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from pos_discount.cli import main

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SERVICES = sorted(EXAMPLES.glob("*.service"))


def parsed(unit: Path) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser documents it
    parser.read(unit)
    return parser


def check_command(words: list[str]) -> None:
    """Let the commands' own parser read a command line, without running it."""
    command: click.Command = main
    arguments = words[1:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments.pop(0))
        assert found is not None, words
        command = found
    command.make_context(words[0], arguments)


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    service = parsed(unit)["Service"]
    words = shlex.split(service["ExecStart"])
    assert words[0].endswith("/pos-discount")
    check_command(words)
    assert service["User"] == "pos-discount"
    assert service["EnvironmentFile"] == "/etc/pos-discount.env"


@pytest.mark.parametrize("timer", sorted(EXAMPLES.glob("*.timer")), ids=lambda timer: timer.stem)
def test_a_timer_has_the_service_that_it_starts(timer: Path) -> None:
    assert timer.with_suffix(".service") in SERVICES
    assert parsed(timer)["Timer"]["Persistent"] == "yes"


def test_the_socket_is_the_services_and_the_nightly_learning_has_its_timer() -> None:
    socket = parsed(EXAMPLES / "pos-discount.socket")
    arguments = shlex.split(parsed(EXAMPLES / "pos-discount.service")["Service"]["ExecStart"])
    assert socket["Socket"]["ListenStream"] == arguments[arguments.index("--port") + 1]
    assert (EXAMPLES / "pos-discount-retrain.timer").exists()


def test_a_service_that_failed_to_start_is_tried_again_for_ever() -> None:
    service, socket = parsed(EXAMPLES / "pos-discount.service"), parsed(EXAMPLES / "pos-discount.socket")
    assert service["Service"]["Restart"] == "always"
    assert service["Unit"]["StartLimitIntervalSec"] == socket["Socket"]["TriggerLimitIntervalSec"] == "0"


def test_the_wrapper_runs_a_command_with_the_services_settings_and_its_words_as_they_are(tmp_path: Path) -> None:
    settings, command = tmp_path / "settings", tmp_path / "command"
    settings.write_text("POS_DISCOUNT_AUTH=on\n")
    command.write_text('#!/bin/sh\nprintf "%s\\n" "$POS_DISCOUNT_AUTH" "$@"\n')
    command.chmod(0o755)
    unit = parsed(EXAMPLES / "pos-discount.service")["Service"]
    script = (EXAMPLES / "pos-discount").read_text()
    for there, here in (
        (unit["EnvironmentFile"], settings),
        (shlex.split(unit["ExecStart"])[0], command),
        (f"runuser -u {unit['User']} -- ", ""),
    ):
        assert there in script
        script = script.replace(there, str(here))
    ran = subprocess.run(["sh", "-c", script, "wrapper", "keys", "two words", "$HOME"], capture_output=True, text=True)
    assert ran.stdout.splitlines() == ["on", "keys", "two words", "$HOME"], ran.stderr


def test_all_that_the_installation_copies_is_there() -> None:
    named = re.findall(r"docs/(examples/pos-discount[\w.*-]*)", (EXAMPLES.parent / "operations.md").read_text())
    assert len(named) == 5
    assert all(list(EXAMPLES.parent.glob(pattern)) for pattern in named)


def test_the_container_serves_without_being_root() -> None:
    lines = (EXAMPLES / "Containerfile").read_text().splitlines()
    check_command(json.loads(next(line for line in lines if line.startswith("CMD ")).removeprefix("CMD ")))
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users and users[-1] != "root"
    compose = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())
    assert "POS_DISCOUNT_SECRET" in compose["services"]["pos-discount"]["environment"]
