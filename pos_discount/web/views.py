"""What answers each route: HTTP in, HTTP out, the work done by the modules that know it.

A view reads parameters and body, hands them on and wraps bytes that are ready. Nothing is encoded twice: the answer
that is recorded is the answer that is sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from flask import Response, g, request
from werkzeug.datastructures import Headers

from pos_discount.decide import Explain
from pos_discount.store import AlreadyAnswered, Claim, OtherBody, OutcomeRecord, Reply, StillRunning, Store
from pos_discount.web.bodies import read_stream
from pos_discount.web.decisions import Decider
from pos_discount.web.described import describe_model, describe_policy, describe_segments
from pos_discount.web.docs_page import docs_page
from pos_discount.web.gauges import Gauges
from pos_discount.web.in_force import InForce
from pos_discount.web.keys import Caller
from pos_discount.web.messages import Alive, KeptOutcome, OutcomeReport
from pos_discount.web.metrics import CONTENT_TYPE, Metrics
from pos_discount.web.openapi import openapi_document
from pos_discount.web.outcomes import Outcomes, open_sale
from pos_discount.web.problems import Fault, Problem, invalid
from pos_discount.web.readiness import Prober
from pos_discount.web.returns import Returns
from pos_discount.web.routes import ROUTES
from pos_discount.web.sales import Archive, KeptSale
from pos_discount.web.secret import Secret

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

JSON = "application/json"
MOST_KEY = 255
CONTENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:"
)

_encode = msgspec.json.Encoder().encode
_read_outcome = msgspec.json.Decoder(OutcomeReport).decode


class Views:
    """One method for each route of the table, by its name."""

    def __init__(self, store: Store, secret: Secret, in_force: InForce, metrics: Metrics) -> None:
        self._store = store
        self._secret = secret
        self._in_force = in_force
        self._metrics = metrics
        self._archive = Archive(store, in_force)
        self._decider = Decider(store, in_force, metrics)
        self._outcomes = Outcomes(store, in_force, self._archive, metrics)
        self._returns = Returns(store, self._archive)
        self._prober = Prober(store, in_force)
        self._gauges = Gauges(store, metrics)
        self._parameters_by_route = {
            route.name: {parameter.name: parameter.words for parameter in route.parameters} for route in ROUTES
        }

    # Decisions

    def decide(self) -> Response:
        """Answer POST /v1/decisions."""
        words = self._words("decide")
        explain: Explain = "all" if words["explain"] == "all" else "touched"
        body = _body()
        policy = self._decider.policy()
        basket = self._secret.pseudonymous(policy.baskets.read(body))
        _act_for(basket.store_id)
        if words["dry_run"] == "true":
            return self._once(
                body, lambda claim: self._keep(claim, Reply(200, (), self._decider.try_out(policy, basket, explain)))
            )
        return self._once(body, lambda claim: self._decider.decide(policy, basket, explain, claim, _created_decision))

    def read_decision(self, decision_id: str) -> Response:
        """Answer GET /v1/decisions/{decision_id}."""
        self._words("read_decision")
        sale = open_sale(self._store, self._archive, _caller(), decision_id)
        return _json(200, _with_what_became(sale))

    # Outcomes and returns

    def record_outcome(self, decision_id: str) -> Response:
        """Answer PUT /v1/decisions/{decision_id}/outcome."""
        self._words("record_outcome")
        caller = _caller()
        report = self._outcomes.read(caller, decision_id, _body())
        return _json(*self._outcomes.record(caller, decision_id, report))

    def record_outcomes(self) -> Response:
        """Answer POST /v1/outcomes."""
        self._words("record_outcomes")
        body, caller = _body(), _caller()
        return self._once(
            body, lambda claim: self._outcomes.record_batch(caller, body, claim, lambda told: Reply(200, (), told))
        )

    def record_return(self, decision_id: str) -> Response:
        """Answer POST /v1/decisions/{decision_id}/returns."""
        self._words("record_return")
        body, caller = _body(), _caller()
        return self._once(
            body,
            lambda claim: self._returns.record(caller, decision_id, body, claim, lambda told: Reply(201, (), told)),
        )

    # What is in force

    def read_policy(self) -> Response:
        """Answer GET /v1/policy."""
        self._words("read_policy")
        return _json(200, _encode(describe_policy(self._decider.policy().index, self._in_force.paused)))

    def read_model(self) -> Response:
        """Answer GET /v1/model."""
        self._words("read_model")
        return _json(200, _encode(describe_model(self._in_force.model)))

    def read_segments(self) -> Response:
        """Answer GET /v1/segments."""
        self._words("read_segments")
        return _json(200, _encode(describe_segments(self._in_force.model)))

    # Around it

    def health(self) -> Response:
        """Answer GET /healthz."""
        return _json(200, _encode(Alive()))

    def readiness(self) -> Response:
        """Answer GET /readyz."""
        readiness = self._prober.readiness()
        return _json(503 if readiness.status == "unready" else 200, _encode(readiness))

    def metrics(self) -> Response:
        """Answer GET /metrics."""
        self._gauges.refresh()
        return Response(self._metrics.text(), 200, content_type=CONTENT_TYPE)

    def openapi(self) -> Response:
        """Answer GET /openapi.json."""
        return _json(200, _encode(openapi_document()))

    def docs(self) -> Response:
        """Answer GET /docs."""
        page = Response(docs_page(openapi_document()), 200, content_type="text/html; charset=utf-8")
        page.headers["Content-Security-Policy"] = CONTENT_POLICY
        return page

    # Shared

    def _once(self, body: bytes, run: Callable[[Claim | None], Reply]) -> Response:
        """Run a call or, where its Idempotency-Key was answered before, give that answer again."""
        key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
        if key is None:
            return _respond(run(None))
        claim = Claim(_caller().key_id, _checked_key(key), self._digest(body), time.time_ns() // 1000)
        try:
            with self._store.answering_once(claim) as first:
                return _respond(run(claim)) if first is None else _again(first)
        except AlreadyAnswered as answered:
            return _again(answered.reply)
        except StillRunning:
            detail = "The first call with this Idempotency-Key has no answer yet; ask again in a second."
            raise Problem("key_in_progress", detail, headers=(("Retry-After", "1"),)) from None
        except OtherBody:
            raise Problem("key_reused", "This Idempotency-Key came with another request; use a new one.") from None

    def _digest(self, body: bytes) -> bytes:
        return self._secret.body_digest(request.path.encode(), request.query_string, body)

    def _keep(self, claim: Claim | None, reply: Reply) -> Reply:
        if claim is not None:
            self._store.keep_reply(claim, reply)
        return reply

    def _words(self, route: str) -> dict[str, str]:
        """Read the query's parameters; one that is unknown, comes twice or has another word than the table's is
        refused."""
        known = self._parameters_by_route[route]
        words = {name: choices[0] for name, choices in known.items()}
        if not request.query_string:
            return words
        faults = []
        for name, given in request.args.items():
            if name not in known:
                faults.append(Fault(f"?{name[:100]}", "unknown_parameter", _expected_parameters(known)))
            elif len(request.args.getlist(name)) > 1:
                faults.append(Fault(f"?{name}", "duplicate", "expected it once"))
            elif given not in known[name]:
                faults.append(Fault(f"?{name}", "not_allowed", f"expected one of {', '.join(known[name])}"))
            else:
                words[name] = given
        if faults:
            raise invalid(tuple(faults))
        return words


def _expected_parameters(known: dict[str, tuple[str, ...]]) -> str:
    return f"expected one of {', '.join(known)}" if known else "expected no parameters"


def _caller() -> Caller:
    caller: Caller = g.caller
    return caller


def _act_for(store_id: str) -> None:
    if not _caller().may_act_for(store_id):
        raise Problem("store_not_allowed", "This key is bound to other stores.")


def _body() -> bytes:
    """Read the body of a call that must have a JSON one."""
    environ = request.environ
    kind, _, rest = environ.get("CONTENT_TYPE", "").partition(";")
    charset = rest.partition("charset=")[2].strip(' "').lower()
    if kind.strip().lower() != JSON or charset not in ("", "utf-8", "utf8"):
        raise Problem("unsupported_media_type", "Send the body as 'Content-Type: application/json', in UTF-8.")
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise Problem("unsupported_media_type", "Send the body as it is, without a Content-Encoding.")
    return read_stream(environ["wsgi.input"], _length(environ))


def _length(environ: WSGIEnvironment) -> int | None:
    """Return how long the body says it is; None where it comes in chunks, whose end the server finds."""
    sent = environ.get("CONTENT_LENGTH") or ""
    if not sent:
        return None if environ.get("wsgi.input_terminated") else 0
    if not (sent.isascii() and sent.isdigit() and len(sent) < 20):
        raise Problem("bad_request", "Content-Length is no whole number.")
    return int(sent)


def _checked_key(key: str) -> str:
    if not 1 <= len(key) <= MOST_KEY or not all(" " < mark <= "~" for mark in key):
        detail = f"expected 1 to {MOST_KEY} visible ASCII characters"
        raise invalid((Fault("Idempotency-Key", "bad_format", detail),))
    return key


def _created_decision(decision_id: str, answer: bytes) -> Reply:
    return Reply(201, (("Location", f"/v1/decisions/{decision_id}"),), answer)


def _json(status: int, body: bytes) -> Response:
    return Response(body, status, content_type=JSON)


class Finished(Response):
    """A response whose headers are complete, so that nothing is worked out again when it is sent."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send it as it is."""
        start_response(self.status, self.headers.to_wsgi_list())
        return self.iter_encoded()


def _respond(reply: Reply) -> Response:
    length = str(len(reply.body))
    headers = Headers([("Content-Type", JSON), ("Content-Length", length), *reply.headers])
    return Finished([reply.body], reply.status, headers)


def _again(reply: Reply) -> Response:
    response = _respond(reply)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _with_what_became(sale: KeptSale) -> bytes:
    """Append the outcome and the returns to the answer's own bytes."""
    kept = sale.kept
    became = {"superseded_by": kept.superseded_by, "outcome": None if kept.outcome is None else _told(kept.outcome)}
    returns = b",".join(returned.answer for returned in kept.returns)
    return sale.record.answer[:-1] + b"," + _encode(became)[1:-1] + b',"returns":[' + returns + b"]}"


def _told(outcome: OutcomeRecord) -> KeptOutcome:
    """Tell an outcome as it came, with the satisfaction that was said last."""
    report = msgspec.structs.replace(_read_outcome(outcome.body), satisfaction=outcome.satisfaction)
    fields = {name: getattr(report, name) for name in OutcomeReport.__struct_fields__}
    return KeptOutcome(**fields, recorded_at=datetime.fromtimestamp(outcome.received_at / 1e6, UTC))
