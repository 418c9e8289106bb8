"""What commands print: a bar on a terminal only and not for what is quick; tables that nothing in a cell can steer."""

import os
import pty
import sys
from io import StringIO

import pytest

from pos_discount.cli.cells import harmless
from pos_discount.cli.output import print_table, with_progress


def drawn_on_a_terminal(monkeypatch: pytest.MonkeyPatch, after: float) -> str:
    """Hand items through with a terminal for standard error; return what was drawn there."""
    outside, inside = pty.openpty()
    with os.fdopen(inside, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        assert list(with_progress(range(50), "rows of a file", 50, after)) == list(range(50))
        terminal.write("end")
        terminal.flush()
        drawn = b""
        while b"end" not in drawn:
            drawn += os.read(outside, 65536)
    os.close(outside)
    return drawn.decode()


def test_what_takes_long_gets_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "rows of a file" in drawn_on_a_terminal(monkeypatch, after=-1)


def test_what_is_quick_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn_on_a_terminal(monkeypatch, after=3600) == "end"


def test_what_is_no_terminal_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    file = StringIO()
    monkeypatch.setattr(sys, "stderr", file)
    assert list(with_progress("abc", "rows", 3, after=-1)) == ["a", "b", "c"]
    assert file.getvalue() == ""


def test_markup_and_control_characters_in_a_cell_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("T", ("name",), [("[bold red]shout[/] \x1b[2J",), (None,)])
    said = capsys.readouterr().out
    assert "[bold red]shout[/] \\x1b[2J" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-cmd", "@SUM(A1)", "\t=1", "\r=1"], ids=repr)
def test_a_cell_that_a_spreadsheet_would_run_is_made_plain(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-3", "+3.50", "-12.5%", "", "a=b", "1-2"], ids=repr)
def test_numbers_and_plain_text_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell
