"""The documentation and the commands agree, and pages speak of the project alone."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pos_discount.cli import main
from pos_discount.web.problems import KIND_BY_CODE

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")

TWO_COMMANDS = (
    "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/pos-discount serve --demo",
    "python3 -m venv .venv && .venv/bin/pip install --quiet -e '.[dev]' && .venv/bin/python -m pytest",
)
NOT_OURS = re.compile(r"\b(TODO|FIXME|XXX|lorem ipsum)\b|/home/\w+/|/root/", re.I)


def enumerate_commands(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from enumerate_commands(command, (*words, name))
        else:
            yield (*words, name)


COMMANDS = sorted(enumerate_commands(main))


def help_of(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(main, [*words, "--help"], terminal_width=200)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_has_help_with_an_example_of_itself(words: tuple[str, ...]) -> None:
    said = help_of(words)
    assert re.search(rf"Example:\n +pos-discount {' '.join(words)}\b", said)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_operators_read_of_a_command_what_the_list_of_commands_says(words: tuple[str, ...]) -> None:
    listed = re.search(rf"^  {words[-1]} +(.+)$", help_of(words[:-1]), re.MULTILINE)
    assert listed
    assert f"| `pos-discount {' '.join(words)}` | {listed[1].removesuffix('.')} |" in OPERATIONS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_example_uses_only_options_that_there_are(words: tuple[str, ...]) -> None:
    said = help_of(words)
    example = said.split("Example:\n")[1].strip().split("\n")[0]
    for option in re.findall(r" (--[a-z-]+)", example):
        assert re.search(rf"^ +(-\w, )?{option}\b", said, re.MULTILINE), option


def test_listing_the_commands_imports_nothing_heavy() -> None:
    heavy = "{'flask', 'numpy', 'sqlite_utils', 'sklearn', 'yaml', 'rich', 'msgspec', 'gunicorn', 'matplotlib'}"
    program = (
        "import sys\nfrom pos_discount.cli import main\n"
        f"try: main(['--help'])\nfinally: sys.stderr.write(str(sorted({heavy} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]"


@pytest.mark.parametrize("command", TWO_COMMANDS, ids=["demo", "tests"])
def test_the_readme_holds_the_two_commands_each_on_a_line_of_its_own(command: str) -> None:
    assert f"```sh\n{command}\n```" in README


def test_continuous_integration_runs_the_readmes_own_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    pattern = re.search(r'sed -n "s/(.*?)/\\1/p" README.md', script)
    assert pattern is not None
    found = subprocess.run(
        ["sed", "-n", f"s/{pattern[1]}/\\1/p".replace("\\$", "$"), "README.md"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == TWO_COMMANDS[1]
    assert "-m pytest" in TWO_COMMANDS[1]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_speaks_of_the_project_alone(page: Path) -> None:
    assert not NOT_OURS.search(page.read_text(encoding="utf-8"))


def test_every_problem_that_a_till_can_meet_is_in_the_api_page_with_its_status() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}) \| (`[^|]+`) \|", text, re.MULTILINE)
    told = {code: int(status) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert told == {code: kind.status for code, kind in KIND_BY_CODE.items()}


def test_decisions_are_numbered_without_a_gap_and_short() -> None:
    notes = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [int(note.name[:4]) for note in notes] == list(range(1, len(notes) + 1))
    for note in notes:
        text = note.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 12, note.name
        assert all(f"{part}:" in text for part in ("Status", "Context", "Decision", "Consequences")), note.name
