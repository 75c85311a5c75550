r"""Tables as LaTeX: booktabs, for `\input` into a paper.

The first section's grids are floats, made as narrow as a line of text; what follows may be longer
than a page, and is `longtable`, unless it is wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from l2i.reporting.numbers import true_minus
from l2i.reporting.printed import Grid, Line, Page, Section, groups

HEAD = r"""% {title}
% Needs: \usepackage{{booktabs,graphicx,longtable}}
% Behind the first section stand details, to be cut off where a paper has no use for them.
"""
WIDE = 95  # characters of small print that a line of text on a usual page has room for
# What TeX takes for something else than a character, and letters that its fonts lack.
_SPECIAL = {
    **{sign: f"\\{sign}" for sign in "_%&#{}$"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"},
    **{"±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "−": "$-$"},
    **{"α": r"$\alpha$", "β": r"$\beta$", "τ": r"$\tau$", "√": r"$\surd$"},
    **{"²": r"\textsuperscript{2}", "‖": r"$\Vert$", "↑": r"$\uparrow$", "↓": r"$\downarrow$"},
    **{"–": "--", "—": "---", "…": r"\ldots{}", "’": "'", "\N{NO-BREAK SPACE}": "~"},
}
_TRANSLATION = str.maketrans(_SPECIAL)


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is: names come from outside."""
    return " ".join(true_minus(text).split()).translate(_TRANSLATION)


def to_latex(page: Page) -> str:
    r"""A page as LaTeX to be read by `\input`; the caption is that of its first grid.

    Parameters
    ----------
    page : Page
        See `l2i.reporting.printed`.

    Returns
    -------
    str
    """
    parts = [HEAD.format(title=_in_comment(page.title))]
    for place, section in enumerate(page.sections):
        for shown in section.grids:
            first = place == 0 and shown is section.grids[0]
            label = f"\n\\label{{tab:{page.name.replace('_', '-')}}}" if first else ""
            caption = rf"\caption{{{_caption(page, section, shown, first)}}}{label}"
            write = _float if place == 0 or _width(shown) > WIDE else _long
            parts.append(write(shown, caption))
        parts += [_points(section.points)] if section.points else []
    parts += [_points(page.notes)] if page.notes else []
    return "\n".join(parts)


def _in_comment(text: str) -> str:
    return " ".join(text.split())


def _caption(page: Page, section: Section, shown: Grid, first: bool) -> str:
    """Of the first grid what the page is about, without a number: LaTeX counts for itself."""
    if first:
        number, colon, topic = page.title.partition(": ")
        said = [topic if colon else number, *page.caption, section.heading, shown.caption]
    else:
        said = [section.heading, shown.caption]
    return " ".join(f"{escaped(text).rstrip('.:')}." for text in said if text)


def _float(shown: Grid, caption: str) -> str:
    lines = [
        r"\begin{table}[htbp]",
        r"\centering",
        caption,
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        f"\\begin{{tabular}}{{{_alignment(shown)}}}",
        *_head(shown),
        *_rows(shown),
        r"\bottomrule",
        r"\end{tabular}}",
        "\\end{table}\n",
    ]
    return "\n".join(lines)


def _width(shown: Grid) -> int:
    """Of a grid in characters, about."""
    cells = [
        [len(column.heading), *(len(line.text) for row in shown.rows for line in row[at])]
        for at, column in enumerate(shown.columns)
    ]
    return sum(max(lengths) + 2 for lengths in cells)


def _long(shown: Grid, caption: str) -> str:
    head = [*_head(shown), r"\endhead"]
    lines = [
        r"{\footnotesize\setlength{\tabcolsep}{3pt}",
        f"\\begin{{longtable}}{{{_alignment(shown)}}}",
        f"{caption}\\\\",
        *head,
        *_rows(shown),
        r"\bottomrule",
        "\\end{longtable}}\n",
    ]
    return "\n".join(lines)


def _alignment(shown: Grid) -> str:
    return "l" * shown.n_heads + "c" * (len(shown.columns) - shown.n_heads)


def _head(shown: Grid) -> Iterator[str]:
    """Rules and headings, the groups above them where there are any."""
    yield r"\toprule"
    spans = groups(shown.columns)
    if any(name for name, _ in spans):
        cells, rules, at = [], [], 1
        for name, n in spans:
            cells.append(
                rf"\multicolumn{{{n}}}{{c}}{{{escaped(name)}}}" if name else "& " * (n - 1)
            )
            rules += [rf"\cmidrule(lr){{{at}-{at + n - 1}}}"] if name else []
            at += n
        yield f"{' & '.join(cells)} \\\\"
        yield "".join(rules)
    # What is first in a row must not be read as the argument of the command before it.
    yield f"{{}}{' & '.join(escaped(column.heading) for column in shown.columns)} \\\\"
    yield r"\midrule"


def _rows(shown: Grid) -> Iterator[str]:
    """A row of the grid is as many of the tabular as its cells have lines."""
    for row in shown.rows:
        height = max(len(lines) for lines in row)
        for at in range(height):
            cells = [_line(lines[at]) if at < len(lines) else "" for lines in row]
            yield f"{{}}{' & '.join(cells)} \\\\" + ("[3pt]" if 1 < height == at + 1 else "")


def _line(line: Line) -> str:
    text = escaped(line.text)
    return rf"\textbf{{{text}}}" if line.bold and text else text


def _points(points: Sequence[str]) -> str:
    items = "\n".join(rf"\item {{}}{escaped(point)}" for point in points)
    return f"{{\\footnotesize\\begin{{itemize}}\n{items}\n\\end{{itemize}}}}\n"
