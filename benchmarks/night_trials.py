"""Data that nothing can be learned from, put through the whole night: the store, the fit, every check of the gate.

    python -m benchmarks.night_trials [--trials 20] [--outcomes 4000]

Each trial makes a small chain's outcomes, spoils them in one way, and runs `retrain` with its own gate: reading, fit,
held-out likelihood, comparison, calibration, conduct, tills. None of the spoilt ones may pass; `sound` are the same
outcomes left as they are, which shows that it is the spoiling that the gate sees.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import msgspec

from benchmarks.retrain_scale import generate, moment_of
from pos_discount.learning import RetrainOptions, Verdict, retrain
from pos_discount.learning.history import read_outcome_note
from pos_discount.recording import OutcomeLesson
from pos_discount.simulation.worlds import HUNTERS_MIX
from pos_discount.store import CustomerRecord, Store
from pos_discount.store.connection import Connection, connect_to_write

ONE_TYPE = (0.0, 1.0, 0.0, 0.0, 0.0)
TINY = 300
KINDS = ("sound", "tiny", "one reaction", "flooded", "NaN among profits", "NaN among stakes", "one segment")
FIRST_ACCEPTED = "0:12:0:accepted"


def main() -> None:
    """Run all trials and print how many passed, and what refused the others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--outcomes", type=int, default=4_000)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    asked = parser.parse_args()
    print(f"{asked.trials} nights each, {asked.outcomes:,} outcomes ({TINY} where tiny)")
    for kind in asked.kinds:
        verdicts = [trial(kind, asked.outcomes, number) for number in range(asked.trials)]
        refused = Counter(check.name for verdict in verdicts for check in verdict.checks if not check.passed)
        told = ", ".join(f"{name} {times}" for name, times in refused.most_common())
        print(f"  {kind:20} {sum(verdict.passed for verdict in verdicts):4d} passed   refused by: {told}", flush=True)


def trial(kind: str, outcomes: int, number: int) -> Verdict:
    """Make a chain's outcomes of a kind and give the verdict of their night."""
    count = (TINY if kind == "tiny" else outcomes) + number  # the count seeds the dice
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "chain.db"
        generate(database, count, 0, ONE_TYPE if kind == "one segment" else HUNTERS_MIX)
        spoil(database, kind)
        store = Store(database)
        verdict = retrain(store, None, RetrainOptions(holdout_share=0.0), moment_of(count)).verdict
        store.close()
    return verdict


def spoil(database: Path, kind: str) -> None:
    """Change what was recorded as the kind has it."""
    connection = connect_to_write(database, "OFF")
    connection.execute("BEGIN IMMEDIATE")
    if kind == "one reaction":
        _accept_first(connection, every=1)
    elif kind == "flooded":
        connection.execute("UPDATE decisions SET store_id = 'S0', till_id = 'T0' WHERE decision % 2 = 0")
        connection.execute("UPDATE outcomes SET store_id = 'S0' WHERE decision % 2 = 0")
        _accept_first(connection, every=2)
    elif kind == "NaN among profits":
        lesson = msgspec.msgpack.encode(OutcomeLesson(float("nan"), 0, ((1, "accepted"),)))
        connection.execute("UPDATE outcomes SET learning = ? WHERE decision % 100 = 0", (lesson,))
    elif kind == "NaN among stakes":
        _blank_stakes(connection)
    connection.execute("COMMIT")
    connection.close()


def _accept_first(connection: Connection, every: int) -> None:
    """Let every so-manieth outcome say that rung 1 was accepted, its customer's counts with it."""
    rows = connection.execute("SELECT decision, learning FROM outcomes WHERE decision % ? = 0", (every,)).fetchall()
    for decision, learning in rows:
        told = msgspec.structs.replace(read_outcome_note(learning), offers=((1, "accepted"),))
        connection.execute(
            "UPDATE outcomes SET result = 'accepted', rung = 1, event = ?, learning = ? WHERE decision = ?",
            (FIRST_ACCEPTED, msgspec.msgpack.encode(told), decision),
        )
    counts: dict[str, Counter[str]] = {}
    query = "SELECT customer, event FROM outcomes JOIN decisions USING (decision) WHERE customer NOT NULL"
    for customer, event in connection.execute(f"{query} AND event NOT NULL"):
        counts.setdefault(customer, Counter())[event] += 1
    for customer, events in counts.items():
        history = msgspec.msgpack.encode(CustomerRecord(sum(events.values()), (), tuple(sorted(events.items()))))
        connection.execute("UPDATE customers SET history = ? WHERE customer = ?", (history, customer))


def _blank_stakes(connection: Connection) -> None:
    """Let one in a hundred decisions know no profits."""
    rows = connection.execute("SELECT decision, learning FROM decisions WHERE decision % 100 = 0").fetchall()
    for decision, learning in rows:
        notes = msgspec.msgpack.decode(learning)
        notes[8]["profits"] = [float("nan")] * len(notes[8]["profits"])
        connection.execute(
            "UPDATE decisions SET learning = ? WHERE decision = ?", (msgspec.msgpack.encode(notes), decision)
        )


if __name__ == "__main__":
    main()
