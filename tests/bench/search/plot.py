"""Milliseconds by size of tenant into a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot

from tests.bench.search.measuring import Timing


def draw(curves: Mapping[str, Sequence[tuple[int, Timing]]], picture: Path) -> None:
    """One curve for each name, p50 with p95 as a thin line; both axes logarithmic."""
    mpl.use("Agg")
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for name, points in curves.items():
        sizes = [size for size, _ in points]
        (line,) = axes.plot(sizes, [timing.p50 for _, timing in points], marker="o", label=f"{name}, p50")
        axes.plot(sizes, [timing.p95 for _, timing in points], linewidth=0.7, linestyle="--", color=line.get_color())
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("segments of the tenant")
    axes.set_ylabel("milliseconds of SQL (dashed: p95)")
    axes.set_title("Search by meaning: cost by size of tenant")
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(picture, dpi=120)
    pyplot.close(figure)
