"""How figures look: sizes in print, letters, colours, and marks that are told apart in grey."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType

COLUMN, PAGE = 88 / 25.4, 180 / 25.4  # widths in print, inches: of one column, and of two
SMALL, LARGE = 7, 8  # points; nothing in a figure is smaller or larger
# seaborn's palette "colorblind". By itself seaborn loads SciPy's statistics and statsmodels, which
# takes longer than any of these figures does to draw.
COLOURS = ["#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"]
COLOURS += ["#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"]
OF_LINES = [*COLOURS[:8], COLOURS[9]]  # all but yellow, which is hardly seen without an edge
SHAPES = ("o", "s", "^", "D", "v", "P", "X")
DASHES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
GREY, FAINT = "0.35", "0.95"
WARNING = "#b00020"  # of words that say that nothing here was measured

STYLE: dict[RcKeyType, Any] = {
    "font.size": LARGE,
    "axes.titlesize": LARGE,
    "axes.labelsize": LARGE,
    "figure.titlesize": LARGE,
    "figure.labelsize": LARGE,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "figure.constrained_layout.use": True,
    "text.parse_math": False,  # names may hold a dollar sign
    "svg.fonttype": "none",  # text stays text: searched, read aloud, and as sharp as the page
    "svg.hashsalt": "l2i",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw with `STYLE` on the library's defaults, whatever is set outside; also a decorator."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


@dataclass(frozen=True)
class Look:
    """How one of several things is marked: each differs from its neighbours in colour and shape."""

    colour: str
    shape: str
    hollow: bool
    dash: Any = "-"

    @property
    def marker(self) -> dict[str, Any]:
        """Of a point; hollow ones hide nothing that lies below."""
        return {
            "color": self.colour,
            "marker": self.shape,
            "markersize": 4,
            "markerfacecolor": "white" if self.hollow else self.colour,
            "markeredgewidth": 0.9,
        }

    @property
    def line(self) -> dict[str, Any]:
        """Of a line with points."""
        return {**self.marker, "linestyle": self.dash, "linewidth": 1}


def look_of(i: int) -> Look:
    """The look of the i-th of several things; the first 56 differ without any colour."""
    n = len(SHAPES)
    return Look(
        OF_LINES[i % len(OF_LINES)],
        SHAPES[i % n],
        i % 2 == 1,
        DASHES[(i + i // (2 * n)) % len(DASHES)],
    )


def looks_of(names: Sequence[str]) -> dict[str, Look]:
    """A look for each of several names, by their order."""
    return {name: look_of(i) for i, name in enumerate(names)}
