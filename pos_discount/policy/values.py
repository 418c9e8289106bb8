"""How a written value is to be read: the vocabulary in which conditions and benefits declare their fields.

A kind is nothing but a frozen struct whose fields are annotated with these types. The reader parses by them, the JSON
Schema and the reference are made from them, so that a new kind needs no code beside its own.
"""

from __future__ import annotations

from enum import Enum
from fractions import Fraction
from typing import Annotated

from pos_discount.policy.ranges import Range


class Reads(Enum):
    """What the text of a field stands for where its Python type alone does not say."""

    MONEY = "an amount in major units, such as 12.50"
    PERCENT = "a percentage, such as 10%"
    COUNT = "a whole number from 1"
    NUMBER = "a whole number from 0"
    INTEGER = "a whole number"
    TEXT = "text"
    WORDS = "a word or a list of words"
    RANGE = "a range's name or a mapping of range keys"
    RANGES = "a range or a list of ranges"
    CONDITIONS = "a list of conditions"
    ALTERNATIVES = "a list of lists of conditions"
    TARGET = "cheapest, dearest, all or {position: N}"
    DECIMAL = "a decimal number from 0"
    AUTHORITY = "a mapping of roles to percentages"
    PRICES = "the name of a CSV file with the columns sku and price"
    YES_NO = "yes or no"
    MOMENT = "a date or date-time, such as 2026-11-01 or 2026-11-01T09:30"
    DAY = "a date, such as 2026-11-01"
    HOURS = "a window of the day, such as 09:00-12:00"
    BENEFIT = "a mapping with exactly one kind of benefit"
    PRICE_BOUNDS = "a mapping of from and below to amounts"
    NAMED_VALUES = "a mapping of names to a word or a list of words"
    SENTENCES = "a mapping of languages to sentences, such as {en: Take a third}"
    CURRENCY = "an ISO 4217 code, such as EUR"
    TIME_ZONE = "a time zone's name, such as Europe/Paris"
    CATALOGUE = "the name of a CSV file with the column sku and any of category, brand, supplier, tags, unit_cost"
    NAMED_RANGES = "a mapping of names to ranges"
    THRESHOLD = "an amount in major units, or a number of units with by: quantity"
    EXPECTED = "a mapping of promotion ids to an amount or no"
    AMOUNTS = "a list of amounts"
    NOT_WRITTEN = "nothing that a merchandiser writes: the reader fills it in"


Money = Annotated[int, Reads.MONEY]
Percent = Annotated[Fraction, Reads.PERCENT]
Count = Annotated[int, Reads.COUNT]
Number = Annotated[int, Reads.NUMBER]
Integer = Annotated[int, Reads.INTEGER]
Text = Annotated[str, Reads.TEXT]
Words = Annotated[tuple[str, ...], Reads.WORDS]
Products = Annotated[Range | None, Reads.RANGE]
ProductSets = Annotated[tuple[Range, ...], Reads.RANGES]
