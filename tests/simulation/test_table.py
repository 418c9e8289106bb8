"""The table of the worlds goes on where it stopped, and its replays of nobody are what the report would measure."""

from dataclasses import replace

import pytest

from pos_discount.measure.uplift import measure_uplift
from pos_discount.simulation import draw_world, plan_named

plays = pytest.importorskip("benchmarks.worlds.plays")


def test_a_kept_row_is_read_again_and_a_torn_one_is_not(tmp_path) -> None:
    path = tmp_path / "rows.jsonl"
    done = plays.Done(plays.Work("outside", 3, "LinTS"), plays.code_digest(), 1.5, profit=930.5)
    plays.keep(path, done)
    plays.keep(path, plays.Done(done.work, "other code", 1.0, profit=1.0))
    with path.open("ab") as file:
        file.write(b'{"work": {"wor')
    assert plays.read_done(path) == [done]


def test_all_worlds_are_played_with_a_seed_before_the_next_seed_is() -> None:
    listed = plays.pieces(plays.WORLDS, 2, with_rivals=True)
    assert [work.seed for work in listed] == sorted(work.seed for work in listed)
    assert len(set(listed)) == len(listed)
    rivals = {(work.world, work.seed) for work in listed if work.seller == "LinTS"}
    assert ("outside", 1) in rivals and ("base", 0) in rivals and ("base", 1) not in rivals


def test_in_nobody_arms_earn_alike() -> None:
    world = draw_world(replace(plan_named("nobody"), checkouts=4_000), 7)
    customers = plays.customers_of(world)
    assert sum(customer.count for customer in customers) == 3_000
    uplift = measure_uplift(customers)
    assert uplift is not None and abs(uplift.mean) < 0.05 * uplift.control


def test_a_world_in_which_ladders_differ_is_no_replay_of_nobody() -> None:
    with pytest.raises(ValueError, match="ladders differ"):
        plays.customers_of(draw_world(replace(plan_named("base"), checkouts=100), 0))
