"""The documentation's links within the project lead somewhere."""

import re
from pathlib import Path

import pytest

from .pages import DOCS

PAGES = [*sorted(DOCS.parent.glob("*.md")), *sorted(DOCS.parent.glob("*/README.md")), *sorted(DOCS.rglob("*.md"))]
_LINK = re.compile(r"\]\((?P<target>[^)\s]*)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINKS = [
    (page, match["target"])
    for page in PAGES
    for match in _LINK.finditer(_CODE.sub("", page.read_text(encoding="utf-8")))
    if "://" not in match["target"] and not match["target"].startswith("mailto:")
]


@pytest.mark.parametrize(("page", "target"), LINKS, ids=[f"{page.name} to {target}" for page, target in LINKS])
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    assert file.exists()
    if anchor:
        assert anchor in anchors_of(file)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a page's headings get: lower case, punctuation left out, hyphens for spaces."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
