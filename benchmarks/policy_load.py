"""How long does it take until a changed folder is in force, against merely parsing its YAML?

A folder of 500 promotions in block style, as people write them, with two examples for each beside it. The floor
parses every file with PyYAML's C parser into plain dicts and lists, and knows nothing of lines, columns, types or
wrong words. We read, resolve and index the policy.
"""

from __future__ import annotations

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click
import yaml

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.shop import Written, files_of, made_assortment, made_promotions
from benchmarks.timing import Task, measure
from pos_discount.policy import load_policy
from pos_discount.pricing import PolicyIndex

PROMOTIONS, PRODUCTS = 500, 2_000
PARSED, READ, INDEXED = "CSafeLoader, no more", "read and checked", "read, checked, indexed"


@click.command(help=__doc__)
@click.option("--rounds", default=9, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    promotions = made_promotions(Random(4), made_assortment(Random(1), PRODUCTS), PROMOTIONS)
    rows: list[dict[str, Cell]] = []
    claims: list[Claim] = []
    for name, content in (("promotions", files_of(promotions)), ("with examples", _with_examples(promotions))):
        with TemporaryDirectory() as folder:
            size = _write(Path(folder), content)
            timings = measure(_tasks(Path(folder)), rounds)
        for task in (PARSED, READ, INDEXED):
            milliseconds = timings.seconds(task) * 1e3
            ratio = timings.ratio(task, PARSED)
            rows.append({"folder": name, "bytes": size, "what": task, "ms": milliseconds, "of the floor": ratio})
        claims.append(Claim(f"folder of {name}", timings.ratio(INDEXED, PARSED), at_most=3))
        claims.append(Claim(f"folder of {name}", timings.ratio(INDEXED, PARSED), at_most=1.5, is_aim=True))
    show(Result(f"Loading a folder of {PROMOTIONS} promotions", rows, claims), as_json=as_json)


def _tasks(folder: Path) -> dict[str, Task]:
    paths = sorted(folder.glob("*.yaml"))

    def parse() -> Written:
        return {path.name: yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for path in paths}

    return {PARSED: parse, READ: lambda: load_policy(folder), INDEXED: lambda: PolicyIndex(load_policy(folder))}


def _with_examples(promotions: list[Written]) -> Written:
    files = files_of(promotions)
    for name in [name for name in files if "promotions" in files[name]]:
        written = files[name]["promotions"]
        files[name.replace(".yaml", ".examples.yaml")] = [
            example for promotion in written for example in _examples(promotion["id"])
        ]
    return files


def _examples(promotion_id: str) -> tuple[Written, Written]:
    lines = [
        {"sku": f"SKU-{number:06}", "category": "care/1/2", "brand": "Brand 3", "price": "12.00"} for number in (7, 8)
    ]
    return (
        {
            "name": f"{promotion_id} applies to two of care",
            "at": "2026-11-05T10:00",
            "customer": {"customer_id": "L-1", "tier": "gold"},
            "basket": [*lines, {"sku": "SKU-000009", "price": "9.00", "quantity": 2}],
            "expect": {promotion_id: "3.60"},
        },
        {
            "name": f"{promotion_id} does not for one",
            "at": "2026-11-05T10:00",
            "basket": lines[:1],
            "expect": {promotion_id: "no"},
        },
    )


def _write(folder: Path, content: Written) -> int:
    for name, written in content.items():
        text = yaml.dump(written, Dumper=_Plain, sort_keys=False, allow_unicode=True)
        (folder / name).write_text(text)
    return sum(path.stat().st_size for path in folder.iterdir())


class _Plain(yaml.SafeDumper):
    """Writes no anchors: people repeat themselves."""

    def ignore_aliases(self, data: object) -> bool:
        """Say that nothing is worth an anchor."""
        return True


if __name__ == "__main__":
    main()
