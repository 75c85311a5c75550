"""Figures as files: vectors and pixels that carry their title and say what they show.

The same table gives the same bytes: no dates, no versions, and a fixed salt for the names inside of
an SVG.
"""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from matplotlib.figure import Figure

from l2i.disk import PART, write_bytes
from l2i.reporting.figures.style import style
from l2i.reporting.fonts import without_boxes

log = logging.getLogger(__name__)


@style()
def save(
    figure: Figure, path_to_svg: str | Path, path_to_png: str | Path, caption: Mapping[str, str]
) -> None:
    """Write a figure as vectors and as pixels (300 an inch), each with its caption inside.

    What no font of this machine has is shown by its number in pixels, and warned of. Vectors hold
    the text itself: whoever looks at them may have a font.

    Parameters
    ----------
    figure : Figure
    path_to_svg, path_to_png : path
    caption : mapping
        ``title`` and ``text``: what a page prints beside the figure, and what is read aloud in its
        place.
    """
    told = {"Title": caption["title"], "Description": caption["text"]}
    svg, png = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from")
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None, **told})
    if unreadable := without_boxes(figure):
        log.warning(
            "warning: no font of this machine has %s: %s shows them by their numbers, tables and "
            "the SVG as they are. To change that, install a font that has them, as Debian's "
            "fonts-noto-cjk for Chinese, Japanese and Korean, delete the picture and give your "
            "command again",
            unreadable,
            Path(path_to_png).name.removeprefix(PART),
        )
    figure.savefig(png, format="png", dpi=300, metadata={"Software": None, **told})
    write_bytes(path_to_svg, read_aloud(svg.getvalue().decode(), caption).encode())
    write_bytes(path_to_png, png.getvalue())


def read_aloud(svg: str, caption: Mapping[str, str]) -> str:
    """An SVG with its `title` that readers of screens tell of as one picture, by title and text."""
    title = f"<title>{escape(caption['title'])}</title>"
    before, after = svg.split(title, 1)
    description = f'<desc id="description">{escape(caption["text"])}</desc>'
    before = before.replace(
        "<svg ", '<svg role="img" aria-labelledby="title" aria-describedby="description" ', 1
    )
    return f'{before}<title id="title">{title[7:]}\n {description}{after}'
