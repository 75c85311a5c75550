"""Script list_deviations."""

from __future__ import annotations

from helpers.project import load_script
from l2i.pages.ledger import PARTS

ENTRIES = {
    name: {"topic": topic, **dict.fromkeys(PARTS, "Text."), "switches": {}}
    for name, topic in {"a_later": "Later", "z_first": "First"}.items()
}


def test_both_pages_hold_the_entries_in_their_order(tmp_path):
    page, html = tmp_path / "deviations.md", tmp_path / "deviations.html"
    job = load_script("list_deviations")
    job(path_to_page=page, path_to_html=html, deviations=ENTRIES, order=["z_first", "a_later"])
    for path in (page, html):
        text = path.read_text()
        assert 0 < text.index("First") < text.index("Later")
