"""Cells of CSV files that people open in a spreadsheet: text that would be run as a formula is made plain."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)*%?", re.ASCII)


def harmless(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula; numbers stay numbers.

    >>> harmless("=1+1"), harmless("-3.50"), harmless("-cmd|x")
    ("'=1+1", '-3.50', "'-cmd|x")
    """
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text) else text
