"""Pictures of what policies give, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pos_discount.cli.output import Trouble, note
from pos_discount.measure.replay import PolicyGave

UPPER, LOWER = 0.2, -0.2
LIGHT, DARK, FIRST = "#9ab8d6", "#20558a", "#b5651d"


def plot_replay(gave: PolicyGave, currency: str, digits: int, file: Path) -> None:
    """Draw what each promotion would have given alone and in the base, and on how many baskets, into a file."""
    shown = [promotion for promotion in reversed(gave.promotions) if promotion.baskets_alone]
    figure = Figure(figsize=(11, 1.6 + 0.42 * max(1, len(shown))), layout="constrained")
    FigureCanvasAgg(figure)
    money, baskets = figure.subplots(1, 2, sharey=True)
    unit = 10**digits
    _bars(money, UPPER, [promotion.value_alone / unit for promotion in shown], "alone", LIGHT)
    _bars(money, LOWER, [promotion.value_in_base / unit for promotion in shown], "in the base", DARK)
    money.set_yticks(range(len(shown)), [promotion.promotion_id for promotion in shown])
    money.set_xlabel(f"given, {currency}")
    _bars(baskets, UPPER, [promotion.baskets_alone for promotion in shown], "applies", LIGHT)
    _bars(baskets, LOWER, [promotion.baskets_on_first_rung for promotion in shown], "named first", FIRST)
    baskets.set_xlabel(f"baskets, of {gave.baskets}")
    figure.suptitle(f"Policy {gave.policy_version}")
    _save(figure, file)


def _bars(axes: Any, offset: float, values: Sequence[float], label: str, color: str) -> None:
    axes.barh([row + offset for row in range(len(values))], values, 0.38, label=label, color=color)
    axes.legend(frameon=False)


def _save(figure: Any, file: Path) -> None:
    try:
        figure.savefig(file, dpi=120)
    except (OSError, ValueError) as error:
        raise Trouble(f"{file}: {error}") from None
    note(f"picture: {file}")
