"""l2i.pages.tables: pages of tables as HTML, and all three beside each other."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.pages.tables import to_html, write_pages
from l2i.reporting.latex import to_latex
from l2i.reporting.markdown import to_markdown
from l2i.reporting.printed import Column, Grid, Line, Page, Section, cell

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=15)


def page(heads=("System", "top-1", "top-5"), rows=(("L2I", "-1.0", "2"),), groups=("", "A", "A")):
    columns = [Column(*each) for each in zip(heads, groups, strict=True)]
    grid = Grid(columns, [[cell(text) for text in row] for row in rows], caption="Seen.")
    return Page("table_4", "Table IV: x", ["Read."], [Section("Part", [grid], ["P."])], ["N."])


class Reader(HTMLParser):
    """Elements with their attributes and texts; void ones aside, all must close in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.found = [], []
        self.feed(html)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs), []))
        if tag not in ("meta",):
            self.open.append((tag, self.found[-1]))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        for _, (*_, texts) in self.open:
            texts.append(data)

    def of(self, tag, **attributes):
        return [
            ("".join(texts).strip(), attrs)
            for name, attrs, texts in self.found
            if name == tag and attributes.items() <= attrs.items()
        ]


def test_heads_say_what_they_head_and_the_caption_what_is_seen():
    read = Reader(to_html(page()))
    assert [text for text, _ in read.of("caption")] == ["Seen."]
    assert [text for text, _ in read.of("th", scope="row")] == ["L2I"]
    assert read.of("th", scope="colgroup") == [
        ("A", {"class": "group"} | {"scope": "colgroup"} | {"colspan": "2"})
    ]
    assert [text for text, _ in read.of("th", scope="col")] == ["System", "top-1", "top-5"]
    assert [text for text, _ in read.of("td")] == ["−1.0", "2"]
    assert all("scope" in attrs for _, attrs in read.of("th"))


def test_without_groups_there_is_one_line_of_heads():
    assert len(Reader(to_html(page(groups=("", "", "")))).of("tr")) == 2


def test_a_page_needs_nothing_from_elsewhere_and_leads_to_origins_and_other_forms():
    html = to_html(page())
    links = {attrs["href"] for _, attrs in Reader(html).of("a")}
    assert links == {"#content", "../provenance/table_4.html"} | {
        f"table_4.{suffix}" for suffix in ("csv", "md", "tex")
    }
    assert "src=" not in html and "http" not in html and "<link" not in html


def test_ours_and_the_papers_stand_below_each_other():
    grid = Grid([Column("a")], [[(Line("1", bold=True), Line("2"))]], n_heads=0)
    html = to_html(Page("t", "T", [], [Section("S", [grid])]))
    assert '<span><b>1</b></span><span class="below">2</span>' in html


@given(st.lists(TEXT, min_size=3, max_size=3), TEXT)
def test_what_stands_in_cells_is_shown_and_not_obeyed(texts, title):
    nasty = [f"<b>{text}&amp;<script>" for text in texts]
    shown = page(nasty, [nasty])
    read = Reader(to_html(Page("n", f"<i>{title}", [title], shown.sections, [title])))
    assert not read.of("script") and not read.of("i")
    said = [text for text, _ in read.of("th", scope="row")]
    assert said == [nasty[0].strip()] or "-" in nasty[0]  # a minus is a minus


def test_all_three_are_written_in_the_order_in_which_they_are_asked_for(tmp_path):
    paths = [tmp_path / name for name in ("a.md", "a.html", "a.tex")]
    write_pages(paths, page())
    written = [path.read_text("utf-8") for path in paths]
    assert written == [write(page()) for write in (to_markdown, to_html, to_latex)]
    with pytest.raises(ValueError, match="zip"):
        write_pages(paths[:2], page())
