"""Every command that the documentation names can be run: there is such a command, and it takes the options shown."""

import re

import click
import pytest

from pos_discount.cli import main

from .pages import DOCS

PAGES = [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
_COMMAND = re.compile(
    r"(?:^|&&|[|;(])\s*(?:sudo(?: -\w \S+)* )?(?:[A-Z_]+=\S+ +)*(?:\S*/)?pos-discount"
    r"((?: +[a-z][a-z-]*)+)([^&|;#\n)]*)",
    re.MULTILINE,
)
COMMANDS = sorted(
    {
        (page.name, match[1].strip(), match[2].strip())
        for page in PAGES
        if page.exists()
        for code in re.findall(r"^```(?:bash|sh|console)\n(.*?)^```$", page.read_text("utf-8"), re.M | re.S)
        for match in _COMMAND.finditer(code.replace("\\\n", " "))
    }
)


@pytest.mark.parametrize(("page", "words", "rest"), COMMANDS, ids=[" ".join(command) for command in COMMANDS])
def test_there_is_such_a_command_with_such_options(page: str, words: str, rest: str) -> None:
    command = find_command(words.split())
    known = {flag for parameter in command.params for flag in parameter.opts + parameter.secondary_opts}
    named = re.findall(r"(?:^| )(--[a-z-]+)", rest)
    assert set(named) <= known | {"--help", "--version"}, f"{page} shows an option that `{words}` does not have"


def find_command(words: list[str]) -> click.Command:
    """Follow the words through the groups to the command that they name; what follows it is an argument."""
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"no command '{word}'"
        command = found
    return command
