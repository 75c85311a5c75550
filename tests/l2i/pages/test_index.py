"""The first page of a run: what it says first, where it leads, and the page in a browser."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from helpers.browser import watch
from l2i.pages.index import Data, Page, Result, Run, Shown, index_page
from l2i.reporting.costs import Spent
from l2i.reporting.standing import NUMBER, VERDICTS

VILE = "<script>alert(1)</script>{{ 7*7 }}"
PAPERS, OTHER = Data("ESC-50", "ESC-50", True), Data("ESC-10", "ESC-50", False)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="1600" height="300"></svg>'


def number(verdict, table="4", **changes):
    row = {"table": table, "system": "l2i_att", "dataset": "esc50", "metric": "accuracy"}
    row |= {"condition": "", "mean": 80.0, "n": 5, "paper_dataset": "esc50", "paper_mean": 70.0}
    row |= {"bound": None, "gap": None if verdict == "other data" else 10.0, "verdict": verdict}
    return row | changes


def shown(name, number, **more):
    files = {"html": f"tables/{name}.html", "csv": f"tables/{name}.csv"}
    if name.startswith("figure"):
        files = {"svg": f"figures/{name}.svg", "png": f"figures/{name}.png"}
    return Shown(name, f"{number}: about {name}", ["One.", "Two."], files, **more)


def page(*rows, datasets=(PAPERS,), lacking=(), left_out=(), **run):
    titles = {"l2i_att": "L2I w/ ATT", "flint": "FLINT", "esc50": "ESC-50"}
    given = {"name": "trial", "systems": ["L2I w/ ATT", "FLINT"], "folds": "1, 2", "seeds": "0"}
    given |= {"commits": {"a" * 40: True}, "configuration": ".run/configuration.json"} | run
    columns = [*number("agrees")]
    return index_page(
        Run(datasets=datasets, titles=titles, **given),
        Result(
            pd.DataFrame(rows, columns=columns),
            pd.DataFrame(lacking, columns=NUMBER),
            86,
            Spent(7, 0.0, 1.5),
        ),
        tables=[
            shown("table_1", "Table I"),
            shown("table_4", "Table IV", highlight="First.", origins="provenance/table_4.html"),
            shown("cost", "Table S8"),
        ],
        figures=[shown("figure_2", "Figure 2")],
        pages=[Page("Listening page", "Sounds.", "listen/index.html")],
        left_out=left_out,
    )


class Read(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.links, self.parts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_data(self, data):
        if self.tags and self.tags[-1] != "style":
            self.parts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.parts).split())


def first_sentences(html):
    return re.findall(r'<p class="lead">([^<]*)</p>', html)


def test_on_the_papers_data_it_opens_with_what_agrees_and_what_does_not():
    (first,) = first_sentences(
        page(*[number("agrees")] * 3, number("differs"), number("no spread"))
    )
    assert first == (
        "Of 5 numbers of the paper that this run measured on the paper&#39;s data, 3 agree with "
        "it, within both spreads, 1 differs and 1 cannot be told, as one side has no spread."
    )


def test_on_other_data_the_first_sentence_says_so():
    first, second = first_sentences(page(number("other data"), datasets=[OTHER]))
    assert first.startswith("These numbers are not of the paper&#39;s data: they are of ESC-10")
    assert "neither confirm nor refute" in first
    assert second == "1 number of this run stands beside the paper&#39;s, for orientation."


def test_on_both_the_first_sentence_says_of_which():
    rows = [number("agrees"), number("other data")]
    first, second = first_sentences(page(*rows, datasets=[PAPERS, OTHER]))
    assert first.startswith("Part of these numbers is not of the paper&#39;s data: that of ESC-10")
    assert second.startswith("Of 1 number of the paper that") and second.endswith(
        " 1 number of this run stands beside the paper&#39;s, for orientation."
    )


def test_a_run_beside_nothing_says_so():
    assert first_sentences(page()) == [
        "Of the 86 numbers that the paper prints, this run measured none."
    ]


def test_every_verdict_has_a_list_of_its_numbers():
    rows = [number(v, mean=float(i)) for i, v in enumerate(VERDICTS) for _ in range(i + 1)]
    html = page(*rows)
    for i, _ in enumerate(VERDICTS):
        assert html.count(f"<td>{i:.1f}\N{NO-BREAK SPACE}%</td>") == i + 1
    assert re.findall(r"<summary>Numbers that agree: (\d+)</summary>", html) == ["1"]
    assert html.count('<details class="numbers" open>') == 1  # of those that differ


def test_gaps_are_told_where_there_are_any():
    assert "+10.0\N{NO-BREAK SPACE}%" in page(number("differs"))
    assert '<th scope="col">gap</th>' not in page(number("other data"))


def test_what_was_not_run_is_told():
    lacking = [("4", "flint", "esc50", "accuracy", ""), ("1", "base_f", "openmic", "f1", "")]
    gone = Shown("figure_4", "Figure 4: the listening tests", ["One."], {})
    text = Read(page(number("agrees"), lacking=lacking, left_out=[gone])).text
    assert "Of the 86 numbers that the paper measures and prints, 2 have no counterpart" in text
    assert "Figure 4, the listening tests: not at all." in text
    assert "Table IV on ESC-50: not FLINT (1 number)." in text
    assert "Table I on openmic: nothing of it (1 number)." in text
    assert "Nothing: each number" in Read(page(number("agrees"))).text


def test_numbers_are_counted_table_by_table():
    rows = [number("agrees"), number("agrees"), number("differs")]
    lacking = [("1", "base_f", "esc50", "accuracy", "")] * 3
    html = page(*rows, lacking=lacking)
    counts = html.partition('<table class="counts">')[2].partition("</table>")[0]
    cells = [re.findall(r"<td>(.*?)</td>", line) for line in counts.split("<tr>")[2:]]
    assert cells == [["", "", "3"], ["2", "1", ""]]


def test_it_leads_to_all_that_was_made():
    links = {*Read(page(number("agrees"))).links}
    assert links >= {
        *("tables/table_1.html", "tables/table_4.csv", "tables/cost.html", "figures/figure_2.svg"),
        *("figures/figure_2.png", "provenance/table_4.html", "listen/index.html"),
        ".run/configuration.json",
    }


def test_code_and_cost_are_told():
    text = Read(page(number("agrees"))).text
    assert "Training 7 models took 1.50 core hours on CPUs." in text
    assert f"{'a' * 40}, with changes that no commit holds" in text
    assert "No commit is known" in Read(page(commits={})).text


def test_names_are_shown_and_not_obeyed():
    row = number("agrees", system=VILE, dataset=VILE, condition=f"excluded={VILE}")
    html = page(row, name=VILE, datasets=[Data(VILE, VILE, False)], systems=[VILE])
    assert "script" not in Read(html).tags and ">49<" not in html


def test_the_same_run_gives_the_same_page():
    rows = [number("agrees"), number("differs")]
    assert page(*rows) == page(*rows)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 360)])
def test_axe_finds_nothing_and_the_page_scrolls_down_only(browser, tmp_path, scheme, width):
    rows = [number(v, condition="threshold=0.1") for v in VERDICTS for _ in range(3)]
    (tmp_path / "index.html").write_text(page(*rows, datasets=[PAPERS, OTHER]), encoding="utf-8")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/figure_2.svg").write_text(SVG)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = context.new_page()
    heard = watch(opened)
    opened.goto(f"file://{tmp_path}/index.html")
    opened.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    opened.locator("img").scroll_into_view_if_needed()
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    expect(opened.locator("img")).to_have_js_property("naturalWidth", 1600)  # loaded when seen
    found = Axe().run(opened).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found]
    context.close()
    assert not heard
