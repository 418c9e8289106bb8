"""`pos-discount simulate`: a world in one call, the same again for the same seed."""

from cli.running import Shop


def test_a_world_is_played_and_measured_the_same_each_time(shop: Shop) -> None:
    first, second = (shop.run("simulate", "nobody", "--checkouts", 300, "--json").json() for _ in range(2))
    assert first == second
    assert (first[0]["world"], first[0]["seed"]) == ("nobody", 1)
    assert 0 < first[0]["ours"]["profit"] <= first[0]["ours"]["oracle"]


def test_seeds_are_averaged_in_one_row(shop: Shop) -> None:
    said = shop.run("simulate", "nobody", "--checkouts", 200, "--seeds", 2)
    assert said.code == 0
    assert "│ nobody │     2 │" in said.out


def test_a_world_that_there_is_not_is_refused_with_those_that_there_are(shop: Shop) -> None:
    said = shop.run("simulate", "narnia")
    assert said.code == 2
    assert "hunters" in said.err
