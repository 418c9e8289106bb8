"""Nightly learning: counts of what happened at the till in, a served model out. Never imported by the web process."""

from pos_discount.learning.evidence import Evidence, gather_evidence
from pos_discount.learning.fit import FitOptions, Fitted, fit_sensitivity

__all__ = ["Evidence", "FitOptions", "Fitted", "fit_sensitivity", "gather_evidence"]
