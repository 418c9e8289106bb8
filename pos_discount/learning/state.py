"""What one night hands to the next, as bytes: counts so far and the last fit. Never a pickle.

Hides the layout. Losing it costs a night that reads everything again, nothing else: so bytes that are not as they were
written are refused, and the night starts anew. It holds customers by pseudonym; forgetting one removes it altogether.
"""

import hashlib
import zlib

import msgspec
import numpy as np
from numpy.typing import NDArray

from pos_discount.learning.fit import Fitted
from pos_discount.learning.history import Bins, Counts
from pos_discount.learning.mixture import Strengths, Tables
from pos_discount.sensitivity import CellTree, model_from_bytes, model_to_bytes

MAGIC = b"pos-discount learner 1\n"


class StateUnreadable(ValueError):
    """Saved learner state is not what was written; learn anew from the store."""


class LearnerState(msgspec.Struct, frozen=True):
    """Counts up to a sequence, and what was fitted to them (None: nothing yet)."""

    counts: Counts
    fitted: Fitted | None


class _Table(msgspec.Struct, frozen=True, array_like=True):
    shape: tuple[int, ...]
    content: bytes


class _Saved(msgspec.Struct, frozen=True):
    sequence: int
    visits: int
    customers: tuple[tuple[str, Bins], ...]
    kinds: tuple[tuple[Bins, str, int], ...]
    decisions: tuple[tuple[int, int], ...]
    fitted: "_SavedFit | None"


class _SavedFit(msgspec.Struct, frozen=True):
    masses: _Table
    walk: _Table
    loss: _Table
    mixes: _Table
    base_share: float
    tree: CellTree
    strengths: tuple[float, float, float]
    labels: tuple[int, ...]
    nights: int
    anew_at_night: int
    anew_at_visits: float
    held_out: float | None
    model: bytes


def state_to_bytes(state: LearnerState) -> bytes:
    """Write the state, compressed, with its digest."""
    counts = state.counts
    place_by_kind = {kind: place for place, kind in enumerate(counts.visits_by_kind)}
    saved = _Saved(
        sequence=counts.sequence,
        visits=counts.visits,
        customers=tuple(counts.bins_by_customer.items()),
        kinds=tuple((bins, code, visits) for (bins, code), visits in counts.visits_by_kind.items()),
        decisions=tuple((decision, place_by_kind[kind]) for decision, kind in counts.kind_by_decision.items()),
        fitted=None if state.fitted is None else _saved_fit(state.fitted),
    )
    body = zlib.compress(msgspec.msgpack.encode(saved), 1)
    return MAGIC + hashlib.sha256(body).digest() + body


def state_from_bytes(content: bytes) -> LearnerState:
    """Read a state; raises StateUnreadable where a byte differs."""
    body = content[len(MAGIC) + 32 :]
    if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != content[len(MAGIC) : len(MAGIC) + 32]:
        raise StateUnreadable("the learner's saved state does not match its digest; everything is read again")
    saved = msgspec.msgpack.decode(zlib.decompress(body), type=_Saved)
    kinds = [(bins, code) for bins, code, _ in saved.kinds]
    counts = Counts(
        sequence=saved.sequence,
        visits=saved.visits,
        bins_by_customer=dict(saved.customers),
        visits_by_kind={(bins, code): visits for bins, code, visits in saved.kinds},
        kind_by_decision={decision: kinds[place] for decision, place in saved.decisions},
    )
    return LearnerState(counts, None if saved.fitted is None else _fitted(saved.fitted))


def _saved_fit(fitted: Fitted) -> _SavedFit:
    tables, strengths = fitted.tables, fitted.strengths
    return _SavedFit(
        masses=_table(tables.masses),
        walk=_table(tables.walk),
        loss=_table(tables.loss),
        mixes=_table(tables.mixes),
        base_share=tables.base_share,
        tree=fitted.tree,
        strengths=(strengths.curve, strengths.rate, strengths.mix),
        labels=fitted.labels,
        nights=fitted.nights,
        anew_at_night=fitted.anew_at_night,
        anew_at_visits=fitted.anew_at_visits,
        held_out=fitted.held_out_log_likelihood,
        model=model_to_bytes(fitted.model),
    )


def _fitted(saved: _SavedFit) -> Fitted:
    return Fitted(
        tables=Tables(
            masses=_array(saved.masses),
            walk=_array(saved.walk),
            loss=_array(saved.loss),
            mixes=_array(saved.mixes),
            base_share=saved.base_share,
        ),
        tree=saved.tree,
        strengths=Strengths(*saved.strengths),
        labels=saved.labels,
        nights=saved.nights,
        anew_at_night=saved.anew_at_night,
        anew_at_visits=saved.anew_at_visits,
        held_out_log_likelihood=saved.held_out,
        model=model_from_bytes(saved.model),
    )


def _table(array: NDArray[np.float64]) -> _Table:
    return _Table(array.shape, np.ascontiguousarray(array, dtype="<f8").tobytes())


def _array(table: _Table) -> NDArray[np.float64]:
    return np.frombuffer(table.content, dtype="<f8").astype(np.float64).reshape(table.shape)
