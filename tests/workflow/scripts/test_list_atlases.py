"""The page that leads to all atlases, of what each job says of its own."""

import json

from helpers.project import load_module

SUMMARY = {
    **{"dataset": "ESC-50", "fold": "1", "system": "L2I"},
    **{"n_components": 100, "n_groups": 4, "n_unused": 30, "dead": [*range(8)]},
}


def test_pages_stand_with_their_own_numbers(tmp_path):
    for fold in "12":
        text = json.dumps(SUMMARY | {"fold": fold, "n_groups": 40 + int(fold)})
        (tmp_path / f"{fold}.json").write_text(text)
    page = tmp_path / "index.html"
    load_module("list_atlases").list_atlases(
        [str(tmp_path / "1.json"), str(tmp_path / "2.json")], str(page), pages=["one", "two"]
    )
    first, second = [row for row in page.read_text().splitlines() if "<td>" in row]
    assert 'href="one"' in first and "fold 1" in first and ">41<" in first
    assert 'href="two"' in second and "fold 2" in second and ">42<" in second
