"""The pages hold what was measured, and blocks that cannot be printed are refused."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from documentation.places import BLOCK, BY_HAND, MEASURED, PAGES
from documentation.printing import printed
from documentation.views import SIDE_BY_SIDE, VIEWS
from l2i.checks import InputError

RUNS = sorted(path.name for path in MEASURED.iterdir())
SHOWN = {f"table_{part.table}.csv" for view in VIEWS.values() for part in view}
SHOWN |= {f"{part.table}.csv" for view in SIDE_BY_SIDE.values() for part in view}
TABLES = sorted(
    path.relative_to(MEASURED) for path in MEASURED.glob("*/*.csv") if path.name in SHOWN
)


def texts():
    return [page.read_text(encoding="utf-8") for page in PAGES]


def block(run, view):
    return f"before\n<!-- measured: {run} {view} -->\nfiller\n<!-- /measured -->\nafter\n"


# ------------------------------------------------------------------ the pages


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_says_what_was_measured(page):
    text = page.read_text(encoding="utf-8")
    assert BLOCK.search(text) or page.name == "measures.md"  # where blocks may come
    assert printed(text) == text, "run: PYTHONPATH=workflow python -m documentation print"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_run_that_a_page_names_was_taken(page):
    text = page.read_text(encoding="utf-8")
    named = {run for _, run, *_ in BLOCK.findall(text)} | {*BY_HAND.findall(text)}
    assert named <= {*RUNS}


@pytest.mark.parametrize("name", TABLES, ids=str)
def test_a_digit_that_changes_in_a_table_changes_a_page(name, tmp_path):
    shutil.copytree(MEASURED, tmp_path, dirs_exist_ok=True)
    table = pd.read_csv(tmp_path / name)
    table["mean"] += 0.1
    table.to_csv(tmp_path / name, index=False)
    assert [printed(text, tmp_path) for text in texts()] != texts()


def test_a_block_is_replaced_and_nothing_else():
    text = printed(block("esc10", "about"))
    start, end = ("before\n<!-- measured: esc10 about -->\n", "\n<!-- /measured -->\nafter\n")
    assert text.startswith(f"{start}Computed by ") and text.endswith(end) and "filler" not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (block("nowhere", "summary"), "the run nowhere; docs/measured has .*esc10"),
        (block("esc10", "nothing"), "names nothing; there are about, pairs, summary.*, sanity"),
        (block("esc10", "ablations"), "esc10 has no row of what a block shows"),
        (block("esc10", "summary extra"), "not of this form"),
        (block("esc10", "summary").replace("/measured", "/other"), "not closed"),
    ],
)
def test_a_block_that_cannot_be_printed_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        printed(text)
