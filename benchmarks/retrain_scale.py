"""What a night of learning costs: cold, an ordinary one, the weekly one; and Vowpal Wabbit over the same rows.

    python -m benchmarks.retrain_scale [--outcomes 100000 1000000] [--nights 3] [--rival-up-to 1000000]

Only what learning reads is generated, straight into SQLite: notes, events, customers' counts, 2,000 outcomes a day.
Each job runs in a process of its own; given are wall time, processor time, peak memory and rows per second.
- cold: `retrain` of everything; then ordinary nights with a day's 2,000 new outcomes each, compared on the latest
  40,000 and gated as always; then the weekly night, which fits all customers' counts anew.
- Vowpal Wabbit learns (`cb_explore_adf`, one pass, quadratic features) from a text file; writing that file from the
  store is part of its time, as reading the store is part of ours. "all" is its first pass, and what it costs to learn
  again; "the day" goes on from its saved model with the day's outcomes alone, without any evaluation or gate, which is
  less than a night does. Without the package `vowpalwabbit` that part is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np

from pos_discount.basket import Reaction, Result
from pos_discount.learning import FitOptions, RetrainOptions, retrain
from pos_discount.learning.history import read_outcome_note, read_visit
from pos_discount.recording import Notes, OutcomeLesson
from pos_discount.sensitivity import (
    Behaviour,
    Belief,
    LadderChoice,
    Stakes,
    Terms,
    event_code,
    event_from_outcome,
)
from pos_discount.simulation.worlds import BASE_MIX, DEPTHS, TYPES
from pos_discount.store import CustomerRecord, Store
from pos_discount.store.connection import Connection, connect_to_write

DAY = 86_400_000_000
PER_DAY = 2_000
FIRST_MOMENT = 1_700_000_000_000_000
LADDERS = ((0,), (0, 1, 2), (0, 5), (0, 2), (0, 3), (0, 2, 4))
MASSES = (0.35, 0.05, 0.05, 0.25, 0.15, 0.15)
BLOCK = 50_000


def main() -> None:
    """Generate, run every job for every size, print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outcomes", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--rival-up-to", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/retrain_scale"))
    asked = parser.parse_args()
    has_rival = importlib.util.find_spec("vowpalwabbit") is not None
    for outcomes in asked.outcomes:
        folder = asked.folder / str(outcomes)
        folder.mkdir(parents=True, exist_ok=True)
        run(folder / "chain.db", outcomes, asked.nights, has_rival and outcomes <= asked.rival_up_to)
    if not has_rival:
        print("vowpalwabbit is not installed; its part is left out")


def run(database: Path, outcomes: int, nights: int, has_rival: bool) -> None:
    """Run all jobs on a history of one size; a database that is there already is taken as it is."""
    for old in (file for file in database.parent.glob("*") if file != database):
        old.unlink()
    if not database.exists():
        generate(database, outcomes, 0)
    history = _last_decision(database)
    print(f"{history:,} outcomes, {database.stat().st_size / 1e9:.2f} GB", flush=True)
    _show("retrain, cold", history, _night, database)
    if has_rival:
        _show("Vowpal Wabbit, all", history, _vowpal, database)
    for _ in range(nights):
        before = _last_decision(database)
        generate(database, PER_DAY, before)
        _show("retrain, an ordinary night", PER_DAY, _night, database)
        if has_rival:
            _show("Vowpal Wabbit, the day", PER_DAY, partial(_vowpal, after=before), database)
    _show("retrain, the weekly night", _last_decision(database), partial(_night, full=True), database)


def generate(database: Path, count: int, after: int, mix: tuple[float, ...] = BASE_MIX) -> None:
    """Write `count` outcomes of a chain, numbered after those that are there, PER_DAY of them a day; `mix` has the
    shares of the types of shoppers."""
    store = Store(database)
    store.read_models()  # makes the tables
    store.close()
    dice = np.random.default_rng([count, after])
    connection = connect_to_write(database, "OFF")
    pool = max(1_000, (after or count) // 10)
    events_by_customer: dict[int, dict[str, int]] = {}
    notes: dict[tuple[int, int, int], bytes] = {}
    codes: dict[tuple[object, ...], str | None] = {}
    for begin in range(0, count, BLOCK):
        number = min(BLOCK, count - begin)
        rows = list(_rows(number, after + begin, pool, dice, mix, events_by_customer, notes, codes))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO decisions (decision, store_id, decision_id, made_at, decided_at, expires_at, till_id,"
            " customer, policy_version, arm, seed, fallback, learning)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'p', 'ladder', '', 'no_model', ?)",
            [row[0] for row in rows],
        )
        connection.executemany(
            "INSERT INTO outcomes (store_id, decision_id, decision, result, rung, received_at, event, body, learning)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, x'', ?)",
            [row[1] for row in rows],
        )
        connection.execute("COMMIT")
    _write_customers(connection, events_by_customer)
    connection.close()


def moment_of(number: int) -> int:
    """Give the moment of the decision of a number."""
    return FIRST_MOMENT + number * (DAY // PER_DAY)


def _write_customers(connection: Connection, events_by_customer: dict[int, dict[str, int]]) -> None:
    decoder = msgspec.msgpack.Decoder(CustomerRecord)
    connection.execute("BEGIN IMMEDIATE")
    for owner, counts in events_by_customer.items():
        name = f"c{owner:08d}"
        row = connection.execute("SELECT history FROM customers WHERE customer = ?", (name,)).fetchone()
        for code, number in decoder.decode(row[0]).events if row else ():
            counts[code] = counts.get(code, 0) + number
        history = msgspec.msgpack.encode(CustomerRecord(sum(counts.values()), (), tuple(sorted(counts.items()))))
        connection.execute("INSERT OR REPLACE INTO customers (customer, history) VALUES (?, ?)", (name, history))
    connection.execute("COMMIT")


def _rows(
    count: int,
    after: int,
    pool: int,
    dice: np.random.Generator,
    mix: tuple[float, ...],
    events_by_customer: dict[int, dict[str, int]],
    notes: dict[tuple[int, int, int], bytes],
    codes: dict[tuple[object, ...], str | None],
) -> Iterator[tuple[tuple[object, ...], tuple[object, ...]]]:
    """Yield (decision, outcome) rows: shoppers of the base world's types, who react to drawn ladders."""
    kinds = np.random.default_rng(5).choice(len(TYPES), pool, p=mix)
    owners = np.where(dice.random(count) < 0.3, -1, dice.integers(0, pool, count)).tolist()
    anonymous, ladders = dice.choice(len(TYPES), count, p=mix), dice.choice(len(LADDERS), count, p=MASSES).tolist()
    luck, value = dice.random((count, 6)).tolist(), np.round(100 * np.exp(dice.normal(3.5, 0.6, count))).tolist()
    for place in range(count):
        owner, drawn = owners[place], luck[place]
        kind = int(kinds[owner]) if owner >= 0 else int(anonymous[place])
        bits = tuple(chance < share for chance, share in zip(drawn[3:], TYPES[kind].features, strict=True))
        key = (ladders[place], int(value[place]) // 500, 4 * bits[0] + 2 * bits[1] + bits[2])
        if key not in notes:
            notes[key] = _notes(LADDERS[ladders[place]], 500.0 * key[1] + 250.0, bits)
        result, rung, offers = _react(kind, LADDERS[ladders[place]], drawn)
        depths = tuple(DEPTHS[position] for position in LADDERS[ladders[place]])
        told = (ladders[place], result, rung, offers)
        if told not in codes:
            event = event_from_outcome(result, rung, offers, depths)
            codes[told] = None if event is None else event_code(event)
        code = codes[told]
        if owner >= 0 and code is not None:
            counts = events_by_customer.setdefault(owner, {})
            counts[code] = counts.get(code, 0) + 1
        number = after + place + 1
        profit = 0.0 if rung is None else (500.0 * key[1] + 250.0) * (0.45 - depths[rung - 1])
        name, at = f"dec_{number:026d}", moment_of(number)
        customer = f"c{owner:08d}" if owner >= 0 else None
        yield (
            (number, f"S{number % 40}", name, at, at, at, f"T{number % 7}", customer, notes[key]),
            (f"S{number % 40}", name, number, result, rung, at + 1, code, _lesson(profit, offers)),
        )


def _lesson(profit: float, offers: tuple[tuple[int, str], ...]) -> bytes:
    return msgspec.msgpack.encode(OutcomeLesson(profit, 0, offers))


def _notes(ladder: tuple[int, ...], value: float, bits: tuple[bool, ...]) -> bytes:
    promoted, asked, rush = bits
    depths = tuple(DEPTHS[rung] for rung in ladder)
    empty = tuple(0.0 for _ in ladder)
    choice = LadderChoice(ladder, 0.2, empty, empty, empty, empty, empty, tuple(zip(LADDERS, MASSES, strict=True)))
    behaviour = Behaviour(promo_share_90d=0.7 if promoted else 0.2, asked=asked, hour=18 if rush else 11)
    stakes = Stakes(DEPTHS, tuple(value * (0.45 - depth) for depth in DEPTHS), value * 0.45, value)
    zeros = (0,) * (len(ladder) + 1)
    profits, counted = (0.0,) * len(zeros), ((),) * len(zeros)
    belief = Belief((1.0,), 0)
    notes = Notes(depths, zeros, zeros, profits, counted, choice, belief, behaviour, stakes, Terms(3, 15.0))
    return msgspec.msgpack.encode(notes)


def _react(
    kind: int, ladder: tuple[int, ...], drawn: list[float]
) -> tuple[Result, int | None, tuple[tuple[int, Reaction], ...]]:
    shopper, want, reached = TYPES[kind], 0, TYPES[kind].wants[0]
    while reached < drawn[0] and want < 6:
        want += 1
        reached += shopper.wants[want]
    offers: list[tuple[int, Reaction]] = []
    for number, rung in enumerate(ladder, start=1):
        if rung >= want:
            return "accepted", number, (*offers, (number, "accepted"))
        if (drawn[1] * 7.919 * number) % 1.0 < shopper.walk:
            return "left", None, (*offers, (number, "walked" if number < len(ladder) else "declined"))
        offers.append((number, "declined"))
    return ("left", None, tuple(offers)) if drawn[2] < shopper.loss else ("accepted", len(ladder), tuple(offers))


def _night(database: Path, *, full: bool = False) -> str:
    """Run a night as the command does: read the memory, learn, publish nothing, write the memory. Tells each stage's
    processor time."""
    memory, store = database.with_suffix(".learner"), Store(database)
    began_at, marks = time.process_time(), list[tuple[str, float]]()
    saved = memory.read_bytes() if memory.exists() else None
    options = RetrainOptions(fit=FitOptions(anew_after_nights=0)) if full else RetrainOptions()
    now = moment_of(_last_decision(database))
    night = retrain(store, saved, options, now, lambda stage: marks.append((stage, time.process_time())))
    marks.append(("", time.process_time()))
    memory.write_bytes(night.state)
    store.close()
    took = [f"memory {marks[0][1] - began_at:.1f} s"]
    took += [f"{name} {end - begin:.1f} s" for (name, begin), (_, end) in pairwise(marks)]
    fitted = "anew" if night.is_anew else "the day alone"
    return f"{night.new_outcomes:,} new, fitted {fitted}; {', '.join(took)}; {len(night.candidate.walk)} segments"


def _last_decision(database: Path) -> int:
    connection = connect_to_write(database, "OFF")
    number: int = connection.execute("SELECT max(decision) FROM decisions").fetchone()[0]
    connection.close()
    return number


def _vowpal(database: Path, *, after: int = 0) -> str:
    """Let Vowpal Wabbit learn from all outcomes, or go on from what it learned with those after a number."""
    import vowpalwabbit

    export, model, began_at = database.with_suffix(".vw"), database.with_suffix(".vwmodel"), time.perf_counter()
    store = Store(database)
    with export.open("w", encoding="utf-8") as file:
        for block in store.read_outcomes(after):
            file.writelines(_example(row.learning, row.outcome_learning or b"") for row in block)
    store.close()
    exported_at = time.perf_counter()
    start = ["-i", str(model)] if after else ["--cb_explore_adf", "-q", "ua"]
    arguments = [*start, "-d", str(export), "-f", str(model), "--save_resume", "--quiet"]
    vowpalwabbit.Workspace(arg_list=arguments).finish()
    learned_at = time.perf_counter()
    export.unlink()
    return f"export {exported_at - began_at:.1f} s, learning {learned_at - exported_at:.1f} s"


def _example(learning: bytes, outcome: bytes) -> str:
    note, told = read_visit(learning), read_outcome_note(outcome)
    seen = note.behaviour
    lines = [f"shared |u p={seen.promo_share_90d} a={seen.asked} h={seen.hour}"]
    for number, (ladder, mass) in enumerate(note.choice.distribution):
        label = f"{number}:{-told.profit / 1000:.4f}:{mass} " if ladder == note.choice.rungs else ""
        lines.append(f"{label}|a l={'-'.join(map(str, ladder))}")
    return "\n".join(lines) + "\n\n"


def _show(name: str, rows: int, job: Callable[[Path], str], database: Path) -> None:
    """Run a job in a process of its own and print what it took."""
    told: multiprocessing.Queue[tuple[str, float, float, float]] = multiprocessing.Queue()
    process = multiprocessing.get_context("fork").Process(target=_measured, args=(job, database, told))
    process.start()
    detail, wall, processor, peak = told.get()
    process.join()
    print(
        f"{name:34}{wall:8.1f} s{processor:8.1f} s cpu{peak:8.0f} MB{rows / wall:12,.0f} rows/s   {detail}", flush=True
    )


def _measured(
    job: Callable[[Path], str], database: Path, told: multiprocessing.Queue[tuple[str, float, float, float]]
) -> None:
    began_at, processor = time.perf_counter(), time.process_time()
    detail = job(database)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told.put((detail, time.perf_counter() - began_at, time.process_time() - processor, peak))


if __name__ == "__main__":
    main()
