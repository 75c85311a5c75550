"""l2i.reporting.markdown: pages as GitHub's Markdown."""

from __future__ import annotations

from l2i.reporting.markdown import to_markdown
from l2i.reporting.printed import Column, Grid, Line, Page, Section, cell

GRID = Grid(
    [Column("System"), Column("top-1", "ESC-50"), Column("top-5", "ESC-50")],
    [
        [cell("a|b"), (Line("1.0", bold=True), Line("2.0")), cell("3.0")],
        [cell("c"), cell(""), cell(Line("missing", bold=True))],
    ],
    caption="Ours above.",
)
PAGE = Page("table_9", "Table IX: *it*", ["Read."], [Section("Part", [GRID], ["A point."])], ["N."])


def test_title_and_caption_come_first_notes_and_origins_last():
    assert to_markdown(PAGE) == (
        "# Table IX: \\*it\\*\n\nRead.\n\n## Part\n\nOurs above.\n\n"
        "| System | ESC-50<br>top-1 | ESC-50<br>top-5 |\n| --- | --- | --- |\n"
        "| a\\|b | **1.0**<br>2.0 | 3.0 |\n| c |  | **missing** |\n\n"
        "- A point.\n\n- N.\n"
        "- [Where each of these numbers comes from](../provenance/table_9.html): scores, networks, "
        "settings, code and clips.\n"
    )


def test_every_text_is_shown_as_it_is():
    grid = Grid([Column("*a*", "*b*")], [[cell("*c*")]], caption="*d*")
    page = Page("t", "*e*", ["*f*"], [Section("*g*", [grid], ["*h*"])], ["*i*"])
    text = to_markdown(page)
    for letter in "abcdefghi":
        assert f"\\*{letter}\\*" in text, letter
