"""Titles and captions of tables and figures: there for each, and fit for every page."""

from __future__ import annotations

import re

import pytest

from configuration import captions
from configuration.captions import CAPTIONS, caption_of
from l2i.checks import InputError
from l2i.reporting.cells import names_of_table, plain

NAMES = sorted(path.stem for path in captions.CAPTIONS.glob("*.rst") if path.stem != "workflow")


@pytest.mark.parametrize("name", NAMES)
class TestOurs:
    def test_it_has_a_number_a_topic_and_a_text(self, name):
        kind = "Figure" if name.startswith("figure_") else "Table"
        caption = caption_of(name)
        assert re.fullmatch(rf"{kind} (S\d+|[IVX]+|\d+)", caption.number)
        assert caption.title == f"{caption.number}: {caption.topic}"
        assert caption.paragraphs and all(map(str.strip, caption.paragraphs))
        assert "\n" not in "".join(caption.paragraphs)

    def test_it_is_plain_for_pages_and_for_the_report_alike(self, name):
        # What would be markup in reStructuredText, or a command of the report's templates.
        text = captions.path_of_caption(name).read_text(encoding="utf-8")
        assert not re.search(r"\{\{|\{%|\{#|`|::|^\.\. |\|\w+\||\w_\b(?!\w)", text, re.MULTILINE)
        assert len(text.strip().split("\n\n")) >= 2


def test_no_two_have_the_same_number():
    numbers = [caption_of(name).number for name in NAMES]
    assert len(numbers) == len({*numbers})


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(captions, "CAPTIONS", tmp_path)
    caption_of.cache_clear()
    yield lambda text: (tmp_path / "x.rst").write_text(text, encoding="utf-8")
    caption_of.cache_clear()


def test_lines_of_a_paragraph_are_joined_and_are_plain_text(written):
    written("Table S9: a thing\n\nOne\nline.\n\nAnd *one\nmore*, *a*; 2 * 3 * 4, a star*.\n")
    text = "One line.\n\nAnd one more, a; 2 * 3 * 4, a star*."
    assert caption_of("x") == ("Table S9: a thing", text)
    assert caption_of("x").paragraphs == text.split("\n\n")


@pytest.mark.parametrize(
    "text", ["", "Table 1: x", "Table 1\n\nText.", "Table 1: x\ny\n\nText.", "Table 1:\n\nText."]
)
def test_what_is_no_title_and_caption_is_refused(written, text):
    written(text)
    with pytest.raises(InputError, match=r"workflow/report/x\.rst: not a title"):
        caption_of("x")


def test_a_missing_caption_is_named(written):
    with pytest.raises(InputError, match=r"workflow/report/y\.rst: missing"):
        caption_of("y")


def test_tables_and_figures_can_be_asked_for_by_the_number_over_them():
    for path in CAPTIONS.glob("*.rst"):
        if path.stem != "workflow":  # of the report
            names = {plain(name) for name in names_of_table(path.stem)}
            assert plain(caption_of(path.stem).number) in names, path.stem
