"""What a careful colleague would find in a policy that loads: what never applies, is always beaten, lacks examples.

A check only says what it can prove from the policy alone, so that nobody learns to read past its warnings. What takes a
basket to find out is for the examples, and those are run elsewhere.
"""

from __future__ import annotations

from datetime import datetime

from pos_discount.policy.checks.applying import find_what_never_applies
from pos_discount.policy.checks.beaten import find_what_is_beaten
from pos_discount.policy.checks.catalogue import find_what_no_product_has
from pos_discount.policy.checks.finding import Finding, Severity
from pos_discount.policy.checks.guards import find_what_may_break_guards
from pos_discount.policy.checks.settings import find_wrong_settings
from pos_discount.policy.checks.slips import find_slips
from pos_discount.policy.checks.stacking import find_wrong_classes
from pos_discount.policy.checks.upkeep import find_what_is_missing, find_what_is_over
from pos_discount.policy.checks.vain import find_what_is_in_vain
from pos_discount.policy.model import Policy

__all__ = ["Finding", "Severity", "check_policy"]


def check_policy(policy: Policy, now: datetime) -> tuple[Finding, ...]:
    """Return everything that is doubtful about a policy at a moment, in the order in which it is written."""
    findings = [
        *find_what_never_applies(policy),
        *find_what_is_over(policy, now),
        *find_what_is_beaten(policy),
        *find_what_may_break_guards(policy),
        *find_wrong_classes(policy),
        *find_what_no_product_has(policy),
        *find_slips(policy),
        *find_what_is_in_vain(policy),
        *find_what_is_missing(policy),
        *find_wrong_settings(policy),
    ]
    return tuple(sorted(findings, key=lambda finding: (finding.place.file, finding.place.line, finding.message)))
