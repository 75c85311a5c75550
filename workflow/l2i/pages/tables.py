"""Pages of tables: in Markdown, as HTML in one file, and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from l2i.disk import write_text
from l2i.pages.rendering import rendered
from l2i.reporting.latex import to_latex
from l2i.reporting.markdown import to_markdown
from l2i.reporting.numbers import true_minus
from l2i.reporting.printed import ORIGINS, ORIGINS_HOLD, Page, groups

# In the order in which pages are asked for.
WRITERS = (to_markdown, lambda page: to_html(page), to_latex)
OTHERS = {"csv": "numbers as csv", "md": "Markdown", "tex": "LaTeX"}  # beside the HTML


def write_pages(paths: Sequence[str | Path], page: Page) -> None:
    """Write a page as Markdown, HTML and LaTeX; `paths` in this order."""
    for path, written in zip(paths, [write(page) for write in WRITERS], strict=True):
        write_text(path, written)


def to_html(page: Page) -> str:
    """A page as HTML: captions and heads are told to those who do not see the table.

    Parameters
    ----------
    page : Page
        See `l2i.reporting.printed`.

    Returns
    -------
    str
        In one file, which needs no network.
    """
    values = {
        "page": page,
        "groups": groups,
        "others": {f"{page.name}.{suffix}": told for suffix, told in OTHERS.items()},
        "origins": ORIGINS,
        "origins_hold": ORIGINS_HOLD,
    }
    return rendered("table.html", values, filters={"minus": true_minus})
