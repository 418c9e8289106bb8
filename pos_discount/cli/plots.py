"""Pictures of what policies give, drawn by matplotlib where it is installed."""

from __future__ import annotations

from pathlib import Path

from pos_discount.cli.output import Trouble, note
from pos_discount.measure.replay import PolicyGave

LIGHT, DARK, FIRST = "#9ab8d6", "#20558a", "#b5651d"


def plot_replay(gave: PolicyGave, currency: str, digits: int, file: Path) -> None:
    """Draw what each promotion would have given alone and in the base, and on how many baskets, into a file."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise Trouble("pictures need matplotlib: pip install 'pos-discount[plots]'") from None
    shown = [promotion for promotion in reversed(gave.promotions) if promotion.baskets_alone]
    figure = Figure(figsize=(11, 1.6 + 0.42 * max(1, len(shown))), layout="constrained")
    FigureCanvasAgg(figure)
    money, baskets = figure.subplots(1, 2, sharey=True)
    names = [promotion.promotion_id for promotion in shown]
    rows = range(len(shown))
    unit = 10**digits
    money.barh([row + 0.2 for row in rows], [p.value_alone / unit for p in shown], 0.38, label="alone", color=LIGHT)
    money.barh(
        [row - 0.2 for row in rows], [p.value_in_base / unit for p in shown], 0.38, label="in the base", color=DARK
    )
    money.set_yticks(list(rows), names)
    money.set_xlabel(f"given, {currency}")
    money.legend(frameon=False)
    baskets.barh([row + 0.2 for row in rows], [p.baskets_alone for p in shown], 0.38, label="applies", color=LIGHT)
    baskets.barh(
        [row - 0.2 for row in rows], [p.baskets_on_first_rung for p in shown], 0.38, label="named first", color=FIRST
    )
    baskets.set_xlabel(f"baskets, of {gave.baskets}")
    baskets.legend(frameon=False)
    figure.suptitle(f"Policy {gave.policy_version}")
    try:
        figure.savefig(file, dpi=120)
    except (OSError, ValueError) as error:
        raise Trouble(f"{file}: {error}") from None
    note(f"picture: {file}")
