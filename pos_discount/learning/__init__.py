"""Nightly learning: counts of what happened at the till in, a served model out. Never imported by the web process."""

from pos_discount.learning.evidence import Evidence, gather_evidence
from pos_discount.learning.fit import fit_sensitivity
from pos_discount.learning.fitted import FitOptions, Fitted
from pos_discount.learning.gate import Check, GateLimits, Verdict
from pos_discount.learning.publishing import describe_changes, describe_night, is_whole, publish, read_night
from pos_discount.learning.retrain import STAGES, Night, RetrainOptions, read_champion, read_model, retrain

__all__ = [
    "STAGES",
    "Check",
    "Evidence",
    "FitOptions",
    "Fitted",
    "GateLimits",
    "Night",
    "RetrainOptions",
    "Verdict",
    "describe_changes",
    "describe_night",
    "fit_sensitivity",
    "gather_evidence",
    "is_whole",
    "publish",
    "read_champion",
    "read_model",
    "read_night",
    "retrain",
]
