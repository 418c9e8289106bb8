"""The documentation's pages as tests read them: sections, and fenced blocks with their language and file name."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

_HEADING = re.compile(r"^#{2,4} (?P<title>.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(?P<language>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block: its language, the word after it (a file's name, or nothing) and what stands in it."""

    language: str
    name: str
    text: str


class Section(NamedTuple):
    """What stands between one heading and the next, whatever their levels."""

    title: str
    text: str
    blocks: tuple[Block, ...]

    def starting_with(self, key: str) -> tuple[str, ...]:
        """Return the texts of its YAML blocks whose first key is this one."""
        return tuple(
            block.text for block in self.blocks if block.language == "yaml" and block.text.startswith(f"{key}:")
        )


def read_sections(page: str) -> tuple[Section, ...]:
    """Read a page of the documentation by its file name."""
    text = (DOCS / page).read_text(encoding="utf-8")
    fenced = [match.span() for match in _FENCE.finditer(text)]
    headings = [
        match for match in _HEADING.finditer(text) if not any(start < match.start() < end for start, end in fenced)
    ]
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return tuple(_section(heading, text[heading.end() : end]) for heading, end in zip(headings, ends, strict=True))


def _section(heading: re.Match[str], text: str) -> Section:
    blocks = tuple(Block(match["language"], match["name"] or "", match["text"]) for match in _FENCE.finditer(text))
    return Section(heading["title"].strip("`"), text, blocks)
