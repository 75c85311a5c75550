"""l2i.pages.ledger: every entry, in words that no text can break out of."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from l2i.pages.ledger import FIXED, PARTS, departing, shown, to_html, to_markdown

KEY = "features.waveform_scale"
SWITCH = {
    "ours": "absolute",
    "readings": {"code": "signed"},
    "used": {"everywhere": {"value": "absolute", "readings": ["ours"]}},
    "others": {},
}


def entry(text="Something.", switches=None):
    return {"topic": text, **dict.fromkeys(PARTS, text), "switches": switches or {}}


def used(value, *readings, where="everywhere"):
    return {where: {"value": value, "readings": list(readings)}}


class Page(HTMLParser):
    """What a browser shows of a page, and the elements that it is made of."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.ids, self.links, self.text, self.hidden = set(), [], [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.hidden = tag in ("style", "title")
        self.elements.add(tag)
        given = dict(attributes)
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given["href"]] if "href" in given else []

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        self.text += "" if self.hidden else data


def words(text):
    return " ".join(text.split())


def texts_of_markdown(page):
    """Texts of a page as a reader of Markdown shows them, line by line, and its elements."""
    blocks = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    inline = [block for block in blocks if block.type == "inline"]
    lines = ["".join(part.content for part in block.children) for block in inline]
    kinds = {part.type for block in inline for part in block.children}
    return lines, kinds | {block.type for block in blocks}


class TestWhatStandsThere:
    ENTRIES = {"first": entry("One."), "second": entry("Two.", {KEY: SWITCH})}

    @pytest.mark.parametrize("page", [to_markdown(ENTRIES), words(Page(to_html(ENTRIES)).text)])
    def test_every_entry_with_all_its_parts(self, page):
        for text in ("One.", "Two."):
            assert page.count(text) >= 1 + len(PARTS)
        for part in PARTS.values():
            assert page.count(part) >= 2

    @pytest.mark.parametrize("render", [to_markdown, to_html])
    def test_an_entry_without_a_switch_says_which_reading_holds(self, render):
        assert render({"first": entry()}).count(FIXED) == 1
        assert FIXED not in render({"second": entry(switches={KEY: SWITCH})})

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (
                {},
                "ours absolute; the authors' code's signed. In this run: absolute everywhere",
            ),
            (
                {"used": used("signed", "code")},
                "In this run: signed everywhere (the authors' code's).",
            ),
            ({"used": used("none")}, "In this run: none everywhere (a value of this run's own)."),
            ({"used": {}}, "In this run: nothing follows this key."),
            (
                {"readings": {"code": "absolute"}},
                "ours and the authors' code's absolute. In this run",
            ),
            ({"others": {"on a": 1.0}}, "Not by this key: 1.0 on a."),
            (
                {"used": used(1, "ours", where="on a") | used(2, "paper", where="on b")},
                "In this run: 1 on a (ours); 2 on b (the paper's).",
            ),
        ],
    )
    def test_what_this_run_has_and_whose_reading_that_is(self, change, said):
        entries = {"one": entry(switches={KEY: SWITCH | change})}
        assert said in to_markdown(entries)
        assert said in words(Page(to_html(entries)).text)

    def test_the_head_lists_the_entries_of_which_a_run_departs_from_the_default(self):
        entries = self.ENTRIES | {
            "code": entry("Of the code.", {KEY: SWITCH | {"used": used("signed", "code")}}),
            "own": entry("Of its own.", {KEY: SWITCH | {"used": used("none")}}),
            "both": entry("The same.", {KEY: SWITCH | {"used": used("absolute", "ours", "code")}}),
        }
        assert departing(entries) == {
            "code": ["the authors' code's"],
            "own": ["a value of this run's own"],
        }
        said = "Of 5 entries, 4 can be switched. This run departs from our default in 2."
        assert said in to_markdown(entries)
        assert said in Page(to_html(entries)).text

    def test_every_link_leads_to_an_entry_and_every_entry_has_one(self):
        page = Page(to_html(self.ENTRIES))
        assert len(page.ids) == len(set(page.ids))
        assert {f"#{name}" for name in self.ENTRIES} <= set(page.links)
        assert set(page.links) <= {f"#{name}" for name in page.ids}

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("a", "a"),
            ("", '""'),
            (None, "null"),
            (True, "true"),
            (2e-4, "0.0002"),
            (["ä"], '["ä"]'),
        ],
    )
    def test_values_are_shown_as_one_would_write_them(self, value, text):
        assert shown(value) == text


class TestNothingIsMarkup:
    TEXT = st.text("#-+>|\\`*_<>&;~$[]() !1.a=é\n\"'/{}%", min_size=1).filter(str.strip)

    @given(TEXT)
    def test_in_markdown(self, text):
        values = {"ours": text, "used": used(text), "readings": {"code": text}}
        page = to_markdown({"one": entry(text, {KEY: SWITCH | values})})
        lines, kinds = texts_of_markdown(page)
        plain = {"code_inline", "strong_open", "strong_close", "text", "text_special", "inline"}
        blocks = {
            f"{b}_{e}"
            for b in ("heading", "paragraph", "bullet_list", "list_item")
            for e in ("open", "close")
        }
        assert kinds <= plain | blocks
        assert [line for line in lines if line == f"Paper: {words(text)}"]
        assert [line for line in lines if f"{words(shown(text))} everywhere (" in line]

    @given(TEXT)
    def test_in_html(self, text):
        values = {"ours": text, "used": used(text), "readings": {"code": text}}
        hostile = Page(to_html({"one": entry(text, {KEY: SWITCH | values})}))
        tame = Page(to_html({"one": entry("a", {KEY: SWITCH | {"used": used("none")}})}))
        assert hostile.elements == tame.elements
        assert words(f"{shown(text)} everywhere (") in words(hostile.text)
        assert words(text.replace("`", "")) in words(hostile.text.replace("`", ""))

    def test_what_stands_in_backticks_is_code(self):
        page = to_html({"one": entry("`<b>` leaves it")})
        assert "<code>&lt;b&gt;</code> leaves it" in page
