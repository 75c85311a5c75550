"""Pages of tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from l2i.reporting.pipe_tables import escaped, of_grid
from l2i.reporting.printed import ORIGINS, ORIGINS_HOLD, Page, Section


def to_markdown(page: Page) -> str:
    """A page as GitHub's Markdown; every text is shown as it is.

    Parameters
    ----------
    page : Page
        See `l2i.reporting.printed`.

    Returns
    -------
    str
    """
    parts = [f"# {escaped(page.title)}", *map(escaped, page.caption)]
    for section in page.sections:
        parts += _section(section)
    origins = f"- [{ORIGINS}]({page.origins}): {ORIGINS_HOLD}."
    parts.append("\n".join([*_points(page.notes), origins]))
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"## {escaped(section.heading)}"
    for shown in section.grids:
        if shown.caption:
            yield escaped(shown.caption)
        yield of_grid(shown)
    if section.points:
        yield "\n".join(_points(section.points))


def _points(points: Iterable[str]) -> Iterator[str]:
    return (f"- {escaped(point)}" for point in points)
