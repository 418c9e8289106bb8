"""Problems as the API tells them: RFC 9457 documents with a stable code, a request id and pointers to every fault.

One table holds each code with its status and title, so that the answers and the OpenAPI document can't drift apart. A
problem names what was expected and where; it never repeats a value that came in.
"""

from __future__ import annotations

import msgspec

PROBLEM_TYPE = "application/problem+json"
MOST_FAULTS = 1000


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a body or a parameter: a JSON pointer to it, a stable code and a sentence."""

    pointer: str
    code: str
    detail: str


class ProblemDetails(msgspec.Struct, frozen=True):
    """What is told when a call can't be served (RFC 9457). ``errors`` holds every fault of a wrong body at once; else
    none.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[Fault, ...]


class Kind(msgspec.Struct, frozen=True):
    """A kind of problem: its HTTP status and what it is called."""

    status: int
    title: str


KIND_BY_CODE: dict[str, Kind] = {
    "not_json": Kind(400, "The body is not JSON"),
    "bad_request": Kind(400, "The request can't be read"),
    "key_missing": Kind(401, "A key is needed"),
    "key_refused": Kind(401, "The key is not valid"),
    "scope_missing": Kind(403, "The key may not do this"),
    "store_not_allowed": Kind(403, "The key may not act for this store"),
    "loopback_only": Kind(403, "Without keys only this machine is served"),
    "not_found": Kind(404, "Nothing is there"),
    "decision_unknown": Kind(404, "There is no such decision"),
    "decision_forgotten": Kind(404, "This decision was forgotten"),
    "method_not_allowed": Kind(405, "The method is not allowed here"),
    "outcome_conflict": Kind(409, "Another outcome is recorded for this decision"),
    "no_sale": Kind(409, "The decision has no sale"),
    "key_in_progress": Kind(409, "A call with this Idempotency-Key is still running"),
    "too_large": Kind(413, "The body is too large"),
    "unsupported_media_type": Kind(415, "The body's type is not supported"),
    "invalid": Kind(422, "The body is JSON, but wrong"),
    "key_reused": Kind(422, "The Idempotency-Key was used with another body"),
    "too_many_requests": Kind(429, "Too many requests"),
    "bug": Kind(500, "The service failed"),
    "overloaded": Kind(503, "The service is busy"),
    "policy_unavailable": Kind(503, "No policy is in force"),
    "store_unavailable": Kind(503, "The database can't be written"),
}


class Problem(Exception):
    """A call that can't be served, on its way to the one place that answers it."""

    def __init__(
        self,
        code: str,
        detail: str,
        faults: tuple[Fault, ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.faults = faults
        self.headers = headers

    @property
    def status(self) -> int:
        """The HTTP status that the code stands for."""
        return KIND_BY_CODE[self.code].status

    def body(self, request_id: str) -> bytes:
        """Write the problem document."""
        kind = KIND_BY_CODE[self.code]
        shown = self.faults[:MOST_FAULTS]
        more = f" (the first {MOST_FAULTS} of {len(self.faults)} are listed)" if len(self.faults) > MOST_FAULTS else ""
        return msgspec.json.encode(
            ProblemDetails(
                f"urn:pos-discount:problem:{self.code}",
                kind.title,
                kind.status,
                self.detail + more,
                self.code,
                request_id,
                shown,
            )
        )


def invalid(faults: tuple[Fault, ...]) -> Problem:
    """Make the problem of a body that is JSON, but wrong."""
    count = "one problem" if len(faults) == 1 else f"{len(faults)} problems"
    return Problem("invalid", f"The request has {count}; each is listed with a pointer to it.", faults)


def retry_later(code: str, detail: str, seconds: int = 1) -> Problem:
    """Make a problem that goes away by itself: the caller may try again after some seconds."""
    return Problem(code, detail, headers=(("Retry-After", str(seconds)),))
