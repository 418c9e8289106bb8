"""How much of a discount a customer needs: the served tables, the belief about one customer, the ladder to name.

Pure and small: numpy arrays in, frozen values out. Fitting lives in `learning`; nothing here needs it.
"""

from pos_discount.sensitivity.events import (
    KNOTS,
    Event,
    EventCounts,
    depth_units,
    event_code,
    event_from_outcome,
    parse_event_code,
)
from pos_discount.sensitivity.features import FEATURE_RULES, Behaviour, bin_behaviour
from pos_discount.sensitivity.ladder import (
    LadderChoice,
    choose_ladder,
    foresee,
    holdout_ladder,
    ladder_distribution,
)
from pos_discount.sensitivity.model import (
    Belief,
    CellTree,
    ModelCard,
    Segment,
    SensitivityModel,
    believe,
    segment_of_belief,
)
from pos_discount.sensitivity.prior import prior_model
from pos_discount.sensitivity.stakes import Stakes, Terms
from pos_discount.sensitivity.written import (
    ModelUnreadable,
    manifest_of,
    model_from_bytes,
    model_to_bytes,
    model_version,
)

__all__ = [
    "FEATURE_RULES",
    "KNOTS",
    "Behaviour",
    "Belief",
    "CellTree",
    "Event",
    "EventCounts",
    "LadderChoice",
    "ModelCard",
    "ModelUnreadable",
    "Segment",
    "SensitivityModel",
    "Stakes",
    "Terms",
    "believe",
    "bin_behaviour",
    "choose_ladder",
    "depth_units",
    "event_code",
    "event_from_outcome",
    "foresee",
    "holdout_ladder",
    "ladder_distribution",
    "manifest_of",
    "model_from_bytes",
    "model_to_bytes",
    "model_version",
    "parse_event_code",
    "prior_model",
    "segment_of_belief",
]
