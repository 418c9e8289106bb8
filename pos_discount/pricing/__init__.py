"""What applies to a basket, what it gives, and what may be given together: exact, pure, and the same for every
caller."""

from pos_discount.pricing.context import Context
from pos_discount.pricing.discounts import Applied
from pos_discount.pricing.entry import Entry
from pos_discount.pricing.holds import Counted, counted, holds
from pos_discount.pricing.index import PolicyIndex
from pos_discount.pricing.limits import CounterKey, Hold, Usage, counters_of
from pos_discount.pricing.rungs import Candidate, Priced, Pricing, price, price_sale
from pos_discount.pricing.scan import Scan
from pos_discount.pricing.sentences import in_language, learn_languages, sentence, spell_amount

__all__ = [
    "Applied",
    "Candidate",
    "Context",
    "Counted",
    "CounterKey",
    "Entry",
    "Hold",
    "PolicyIndex",
    "Priced",
    "Pricing",
    "Scan",
    "Usage",
    "counted",
    "counters_of",
    "holds",
    "in_language",
    "learn_languages",
    "price",
    "price_sale",
    "sentence",
    "spell_amount",
]
