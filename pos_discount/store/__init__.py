"""What outlives a request: decisions, outcomes, counters, customers, versions, keys, answers.

`Store` is the face; the values that go in and out are in `records`, what it may refuse in `errors`.
"""

from pos_discount.store.bulk import Checkout, CheckoutCount, CustomerEvents, Lesson, Receipt
from pos_discount.store.errors import (
    AlreadyAnswered,
    ForgottenDecision,
    HoldConflict,
    NoSale,
    OtherBody,
    ReturnConflict,
    StillRunning,
    StoreBusy,
    StoreError,
    StoreUnavailable,
    UnknownDecision,
)
from pos_discount.store.forgetting import holds_trace
from pos_discount.store.records import (
    Activation,
    Answering,
    ApiKey,
    Changes,
    Claim,
    CustomerRecord,
    Day,
    DecisionRecord,
    EarlierDecision,
    KeptDecision,
    KeptFile,
    OutcomeRecord,
    Pause,
    Recorded,
    Reply,
    ReturnedLine,
    ReturnRecord,
    Visit,
)
from pos_discount.store.store import MOST_OUTCOMES, Store
from pos_discount.store.upkeep import restore_backup

__all__ = [
    "MOST_OUTCOMES",
    "Activation",
    "AlreadyAnswered",
    "Answering",
    "ApiKey",
    "Changes",
    "Checkout",
    "CheckoutCount",
    "Claim",
    "CustomerEvents",
    "CustomerRecord",
    "Day",
    "DecisionRecord",
    "EarlierDecision",
    "ForgottenDecision",
    "HoldConflict",
    "KeptDecision",
    "KeptFile",
    "Lesson",
    "NoSale",
    "OtherBody",
    "OutcomeRecord",
    "Pause",
    "Receipt",
    "Recorded",
    "Reply",
    "ReturnConflict",
    "ReturnRecord",
    "ReturnedLine",
    "StillRunning",
    "Store",
    "StoreBusy",
    "StoreError",
    "StoreUnavailable",
    "UnknownDecision",
    "Visit",
    "holds_trace",
    "restore_backup",
]
