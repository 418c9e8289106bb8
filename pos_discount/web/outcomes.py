"""How a sale ended: checked against the ladder that was answered, and recorded with what it counts and teaches.

An outcome that can't be (a rung that there was not, a reaction that contradicts the result) is refused; one that
merely says little is kept. What a repetition means is the store's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from pos_discount.basket import SALES
from pos_discount.recording import OutcomeLesson, local_day, microseconds
from pos_discount.sensitivity import event_code, event_from_outcome
from pos_discount.store import (
    Answering,
    Claim,
    ForgottenDecision,
    OutcomeRecord,
    Recorded,
    Reply,
    Store,
    UnknownDecision,
    Visit,
)
from pos_discount.web.bodies import BodyReader, parse_json
from pos_discount.web.decisions import is_decision_id
from pos_discount.web.in_force import InForce
from pos_discount.web.keys import Caller
from pos_discount.web.messages import (
    OutcomeAnswer,
    OutcomeOfDecision,
    OutcomeReport,
    OutcomeResult,
    OutcomeResults,
    UnreadBatch,
)
from pos_discount.web.metrics import Metrics
from pos_discount.web.problems import Fault, Problem, invalid
from pos_discount.web.sales import Archive, KeptSale, Sold

PROBLEM_BY_RECORDED: dict[str, tuple[str, str]] = {
    "conflict": ("outcome_conflict", "Another outcome is recorded for this decision; it stands."),
    "unknown": ("decision_unknown", "No such decision."),
    "forgotten": ("decision_forgotten", "This decision was forgotten together with its customer."),
}
STATUS_BY_RECORDED = {"created": 201, "unchanged": 200, "conflict": 409, "unknown": 404, "forgotten": 404}
CODE_BY_RECORDED = {"created": "recorded", "unchanged": "unchanged"}

_encode = msgspec.json.Encoder().encode


class Outcomes:
    """Records outcomes, one or a batch."""

    def __init__(self, store: Store, in_force: InForce, archive: Archive, metrics: Metrics) -> None:
        self._store = store
        self._in_force = in_force
        self._archive = archive
        self._metrics = metrics
        self._one = BodyReader(OutcomeReport)
        self._batch = BodyReader(UnreadBatch, of_unread=True)
        self._of_batch = BodyReader(OutcomeOfDecision)

    def read(self, caller: Caller, decision_id: str, body: bytes) -> OutcomeReport:
        """Read one outcome's body; where it is wrong, all that is wrong of it for its decision is told too."""
        try:
            return self._one.read(body)
        except Problem as problem:
            raise self._with_all_faults(problem, caller, decision_id, body) from None

    def record(self, caller: Caller, decision_id: str, report: OutcomeReport) -> tuple[int, bytes]:
        """Record one outcome; returns the status and the answer's JSON, or raises the `Problem`."""
        record = self._prepare(caller, decision_id, report)
        recorded = self._store.record_outcomes([record])[0]
        if recorded in PROBLEM_BY_RECORDED:
            raise Problem(*PROBLEM_BY_RECORDED[recorded])
        self._count(record, report, recorded)
        code: Literal["recorded", "unchanged"] = "recorded" if recorded == "created" else "unchanged"
        stands = None if code == "recorded" else open_sale(self._store, self._archive, caller, decision_id).kept.outcome
        received_at = (stands or record).received_at
        told = OutcomeAnswer(decision_id, code, datetime.fromtimestamp(received_at / 1e6, UTC), report)
        return STATUS_BY_RECORDED[recorded], _encode(told)

    def record_batch(
        self, caller: Caller, body: bytes, claim: Claim | None, reply_of: Callable[[bytes], Reply]
    ) -> Reply:
        """Record a batch: one that is wrong is told as wrong and the others are recorded."""
        prepared = [self._prepare_one(caller, bytes(raw)) for raw in self._batch.read(body).outcomes]
        records = [one.record for one in prepared if one.record is not None]

        def reply(recorded: Sequence[Recorded]) -> Reply:
            return reply_of(_encode(OutcomeResults(tuple(_results(prepared, recorded)))))

        recorded = self._store.record_outcomes(records, None if claim is None else Answering(claim, reply))
        for record, one, what in zip(records, (p for p in prepared if p.record), recorded, strict=True):
            self._count(record, one.report, what)
        return reply(recorded)

    def _prepare_one(self, caller: Caller, body: bytes) -> _Prepared:
        try:
            report = self._of_batch.read(body)
        except Problem as problem:
            decision_id = _decision_id_of(body)
            if decision_id is not None:
                problem = self._with_all_faults(problem, caller, decision_id, body)
            return _Prepared(decision_id, None, None, problem)
        try:
            record = self._prepare(caller, report.decision_id, report)
        except Problem as problem:
            return _Prepared(report.decision_id, None, None, problem)
        return _Prepared(report.decision_id, report, record, None)

    def _prepare(self, caller: Caller, decision_id: str, report: OutcomeReport) -> OutcomeRecord:
        sale = open_sale(self._store, self._archive, caller, decision_id)
        if faults := tuple(_faults(sale, report)):
            raise invalid(faults)
        now = datetime.now(UTC)
        sold = sale.sold(report.rung, report.promotions) if report.result in SALES else None
        offers = None if report.offers is None else tuple((offer.rung, offer.reaction) for offer in report.offers)
        event = event_from_outcome(report.result, report.rung, offers, sale.notes.depths)
        paid = (sold.total if report.paid_total is None else report.paid_total) if sold else 0
        return OutcomeRecord(
            store_id=sale.record.store_id,
            decision_id=decision_id,
            result=report.result,
            received_at=microseconds(now),
            rung=report.rung,
            promotions=report.promotions,
            satisfaction=report.satisfaction,
            said_at=None if report.at is None else microseconds(report.at),
            body=_encode(_without_decision(report)),
            counted=sold.counted if sold else (),
            visit=None if report.result == "cancelled" else self._visit(sale, sold, paid),
            event=None if event is None else event_code(event),
            learning=msgspec.msgpack.encode(OutcomeLesson(sold.profit if sold else 0.0, paid, offers)),
        )

    def _with_all_faults(self, problem: Problem, caller: Caller, decision_id: str, body: bytes) -> Problem:
        """Add what can't be of an outcome whose body is wrong, as far as the rest of it says; of an unknown decision
        nothing more can be said.
        """
        wrong = {fault.pointer.split("/")[1] for fault in problem.faults if fault.pointer}
        report = _salvage(body, wrong) if wrong else None
        if report is None:
            return problem
        try:
            sale = open_sale(self._store, self._archive, caller, decision_id)
        except Problem:
            return problem
        if "promotions" in wrong:
            wrong.add("rung")  # one stands for the other, so that neither is missing
        return invalid((*problem.faults, *(f for f in _faults(sale, report) if f.pointer.split("/")[1] not in wrong)))

    def _visit(self, sale: KeptSale, sold: Sold | None, paid: int) -> Visit:
        """A visit belongs to the day of the sale, as limits do, whenever its outcome comes."""
        policy = self._in_force.policy
        zone = policy.index.policy.house.time_zone if policy else UTC
        day = local_day(datetime.fromtimestamp(sale.record.decided_at // 1_000_000, UTC), zone)
        promoted = min(sold.promoted, paid) if sold else 0
        return Visit(day, visits=1, spend=paid, promoted=promoted)

    def _count(self, record: OutcomeRecord, report: OutcomeReport | None, recorded: Recorded) -> None:
        if recorded == "created":
            offers = report.offers if report is not None and report.offers is not None else ()
            said = tuple((offer.rung, offer.reaction) for offer in offers)
            self._metrics.count_outcome(record.store_id, record.result, said)


def open_sale(store: Store, archive: Archive, caller: Caller, decision_id: str) -> KeptSale:
    """Open a decision that this caller may see; another store's is as unknown as one that there never was."""
    if not is_decision_id(decision_id):
        raise Problem(*PROBLEM_BY_RECORDED["unknown"])
    try:
        kept = store.read_decision(decision_id)
    except UnknownDecision:
        raise Problem(*PROBLEM_BY_RECORDED["unknown"]) from None
    except ForgottenDecision:
        raise Problem(*PROBLEM_BY_RECORDED["forgotten"]) from None
    if not caller.may_act_for(kept.record.store_id):
        raise Problem(*PROBLEM_BY_RECORDED["unknown"])
    return KeptSale(kept, archive)


class _Prepared(NamedTuple):
    decision_id: str | None
    report: OutcomeReport | None
    record: OutcomeRecord | None
    problem: Problem | None


def _results(prepared: Sequence[_Prepared], recorded: Sequence[Recorded]) -> Iterator[OutcomeResult]:
    waiting = iter(recorded)
    for one in prepared:
        if one.problem is not None:
            yield OutcomeResult(one.decision_id, one.problem.status, one.problem.code, one.problem.faults[:100])
        else:
            what = next(waiting)
            code = CODE_BY_RECORDED[what] if what in CODE_BY_RECORDED else PROBLEM_BY_RECORDED[what][0]
            yield OutcomeResult(one.decision_id, STATUS_BY_RECORDED[what], code)


def _faults(sale: KeptSale, report: OutcomeReport) -> Iterator[Fault]:
    """Yield what can't be of an outcome, given the ladder that was answered."""
    rungs = len(sale.notes.depths)
    is_accepted = report.result == "accepted"
    if is_accepted and (report.rung is None) == (report.promotions is None):
        yield Fault(
            "/rung", "missing" if report.rung is None else "not_together", "accepted needs either rung or promotions"
        )
    if not is_accepted and report.rung is not None:
        yield Fault("/rung", "not_accepted", "expected a rung only where the result is accepted")
    if not is_accepted and report.promotions is not None:
        yield Fault("/promotions", "not_accepted", "expected promotions only where the result is accepted")
    if report.rung is not None and report.rung > rungs:
        yield Fault("/rung", "not_in_ladder", f"expected a rung of the ladder, which has {rungs}")
    if report.promotions is not None:
        yield from _unknown_promotions(sale, report.promotions)
    yield from _offer_faults(report, rungs)


def _unknown_promotions(sale: KeptSale, promotions: tuple[str, ...]) -> Iterator[Fault]:
    known = sale.index.position_by_id
    for position, promotion_id in enumerate(promotions):
        if promotion_id not in known:
            yield Fault(f"/promotions/{position}", "unknown_promotion", "expected a promotion of the decision's policy")
        elif promotion_id in promotions[:position]:
            yield Fault(f"/promotions/{position}", "duplicate", "expected each promotion once")


def _offer_faults(report: OutcomeReport, rungs: int) -> Iterator[Fault]:
    offers = report.offers or ()
    if offers and report.result == "not_offered":
        yield Fault("/offers", "contradiction", "expected no offers where nothing was offered")
    for position, offer in enumerate(offers):
        if offer.rung > rungs:
            yield Fault(
                f"/offers/{position}/rung", "not_in_ladder", f"expected a rung of the ladder, which has {rungs}"
            )
        at_its_rung = report.result == "accepted" and report.rung in (offer.rung, None)
        if offer.reaction == "accepted" and report.result in SALES and not at_its_rung:
            detail = "an accepted offer needs the result accepted at its rung, or no sale in the end"
            yield Fault(f"/offers/{position}/reaction", "contradiction", detail)


def _salvage(body: bytes, wrong: Collection[str]) -> OutcomeReport | None:
    """Make a report of the fields that are right in a wrong body, or None without a result."""
    names = set(OutcomeReport.__struct_fields__).difference(wrong)
    plain = {name: value for name, value in parse_json(body).items() if name in names}
    return msgspec.convert(plain, OutcomeReport) if "result" in plain else None


def _without_decision(report: OutcomeReport) -> OutcomeReport:
    if type(report) is OutcomeReport:
        return report
    return OutcomeReport(**{name: getattr(report, name) for name in OutcomeReport.__struct_fields__})


class _Named(msgspec.Struct):
    decision_id: str | None = None


def _decision_id_of(body: bytes) -> str | None:
    """Read the decision's id of an outcome that is wrong in other ways, so that the till knows which one is meant."""
    try:
        decision_id = msgspec.json.decode(body, type=_Named).decision_id
    except (ValueError, RecursionError):
        return None
    return decision_id if decision_id is not None and is_decision_id(decision_id) else None
