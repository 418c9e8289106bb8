"""What one night hands to the next, as bytes: counts so far and the last fit. Never a pickle.

Hides the layout. Losing it costs a night that reads everything again, nothing else: so bytes that are not as they were
written are refused, and the night starts anew. It holds customers by pseudonym; forgetting one removes it altogether.
"""

import hashlib
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pos_discount.learning.counts import Behaviours, Counts
from pos_discount.learning.fitted import Fitted
from pos_discount.learning.mixture import Strengths, Sums, Tables
from pos_discount.sensitivity import (
    CellTree,
    ModelUnreadable,
    event_code,
    model_from_bytes,
    model_to_bytes,
    parse_event_code,
)

MAGIC = b"pos-discount learner 2\n"


class StateUnreadable(ValueError):
    """Saved learner state is not what was written; learn anew from the store."""


class LearnerState(msgspec.Struct, frozen=True):
    """Counts up to a sequence, and what was fitted to them (None: nothing yet)."""

    counts: Counts
    fitted: Fitted | None


class _Table(msgspec.Struct, frozen=True, array_like=True):
    dtype: str
    shape: tuple[int, ...]
    content: bytes


class _Saved(msgspec.Struct, frozen=True):
    sequence: int
    visits: int
    names: _Table
    bins: _Table
    kinds: tuple[tuple[bytes, str, int], ...]
    decisions: _Table
    places: _Table
    fitted: "_SavedFit | None"


class _SavedFit(msgspec.Struct, frozen=True):
    masses: _Table
    walk: _Table
    loss: _Table
    mixes: _Table
    base_share: float
    tree: CellTree
    strengths: tuple[float, float, float]
    events: tuple[str, ...]
    seen: _Table
    mass: _Table
    labels: tuple[int, ...]
    nights: int
    anew_at_night: int
    anew_at_visits: float
    held_out: float | None
    model: bytes


def state_to_bytes(state: LearnerState) -> bytes:
    """Write the state with its digest. What is newer of behaviours is settled first."""
    counts = state.counts
    counts.behaviours.settle()
    kinds = dict(counts.visits_by_kind)
    for kind in counts.kind_by_decision.values():
        kinds.setdefault(kind, 0)
    place_by_kind = {kind: place for place, kind in enumerate(kinds)}
    saved = _Saved(
        sequence=counts.sequence,
        visits=counts.visits,
        names=_table(counts.behaviours.names),
        bins=_table(counts.behaviours.bins),
        kinds=tuple((bins, code, visits) for (bins, code), visits in kinds.items()),
        decisions=_table(np.fromiter(counts.kind_by_decision, dtype="<i8", count=len(counts.kind_by_decision))),
        places=_table(np.array([place_by_kind[kind] for kind in counts.kind_by_decision.values()], dtype="<i4")),
        fitted=None if state.fitted is None else _saved_fit(state.fitted),
    )
    body = msgspec.msgpack.encode(saved)
    return MAGIC + hashlib.sha256(body).digest() + body


def state_from_bytes(content: bytes) -> LearnerState:
    """Read a state; raises StateUnreadable where a byte differs, or where this version learns from other tables."""
    body = memoryview(content)[len(MAGIC) + 32 :]
    if not content.startswith(MAGIC) or hashlib.sha256(body).digest() != content[len(MAGIC) : len(MAGIC) + 32]:
        raise StateUnreadable("the learner's saved state does not match its digest; everything is read again")
    try:
        saved = msgspec.msgpack.decode(body, type=_Saved)
        fitted = None if saved.fitted is None else _fitted(saved.fitted)
    except (msgspec.MsgspecError, ModelUnreadable) as error:
        raise StateUnreadable(
            f"the learner's saved state is of another kind ({error}); everything is read again"
        ) from error
    kinds = [(bins, code) for bins, code, _ in saved.kinds]
    decisions, places = _array(saved.decisions).tolist(), _array(saved.places).tolist()
    counts = Counts(
        sequence=saved.sequence,
        visits=saved.visits,
        behaviours=Behaviours(_array(saved.names), _array(saved.bins)),
        visits_by_kind={(bins, code): visits for bins, code, visits in saved.kinds if visits},
        kind_by_decision={decision: kinds[place] for decision, place in zip(decisions, places, strict=True)},
    )
    return LearnerState(counts, fitted)


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
        events=tuple(event_code(event) for event in fitted.sums.events),
        seen=_table(fitted.sums.seen),
        mass=_table(fitted.sums.mixes),
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
        sums=Sums(tuple(parse_event_code(code) for code in saved.events), _array(saved.seen), _array(saved.mass)),
        labels=saved.labels,
        nights=saved.nights,
        anew_at_night=saved.anew_at_night,
        anew_at_visits=saved.anew_at_visits,
        held_out_log_likelihood=saved.held_out,
        model=model_from_bytes(saved.model),
    )


def _table(array: NDArray[Any]) -> _Table:
    return _Table(array.dtype.str, array.shape, np.ascontiguousarray(array).tobytes())


def _array(table: _Table) -> NDArray[Any]:
    return np.frombuffer(table.content, dtype=table.dtype).reshape(table.shape)
