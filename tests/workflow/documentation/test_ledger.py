"""The ledger as a page of the site."""

from __future__ import annotations

import yaml

from documentation.ledger import ledger_page
from helpers.project import PROJECT

LEDGER = PROJECT / "workflow/reference/deviations.yaml"
SMALL = """\
# A head.

# ------------- data and features

- id: scale
  topic: Scale of *it*
  paper: Not said.
  code: By `max x`.
  ours: By `max |x|`.
  effect: not measured
  switch:
    - {key: features.scale, ours: absolute, value: signed, gives: code}
    - {key: features.other, ours: 1, value: 2, gives: paper}
  source: code

# --------- evaluation

- {id: size, topic: Size, paper: a, code: b, ours: c, effect: d, switch: none, source: e}
"""


def test_every_entry_of_the_ledger_is_on_the_page():
    text = LEDGER.read_text(encoding="utf-8")
    page = ledger_page(text)
    entries = yaml.safe_load(text)
    assert [entry["id"] for entry in entries] == [
        line.split("{ #")[1].removesuffix(" }") for line in page.splitlines() if line[:4] == "### "
    ]
    assert f"differ: {len(entries)} entries" in page
    keys = {
        each["key"] for entry in entries if entry["switch"] != "none" for each in entry["switch"]
    }
    assert all(f"`{key}`, ours" in page for key in keys)


def test_an_entry_says_what_the_ledger_says():
    lines = ledger_page(SMALL).splitlines()
    fixed = SMALL.splitlines()[-1].replace("id: size", "id: more")
    counted = "differ: 3 entries, of which 1\ncan be switched"
    assert counted in ledger_page(f"{SMALL}{fixed}\n")
    assert lines[lines.index("## Data and features") :] == [
        "## Data and features",
        "",
        "### Scale of \\*it\\* { #scale }",
        "",
        "- **Paper:** Not said.",
        "- **Authors' code:** By `max x`.",
        "- **Ours:** By `max |x|`.",
        "- **Measured effect:** not measured",
        "- **Source:** code",
        "- **Switch:** `features.scale`, ours `absolute`; `signed` is the authors' code's",
        "- **Switch:** `features.other`, ours `1`; `2` is the paper's",
        "",
        "## Evaluation",
        "",
        "### Size { #size }",
        "",
        *(f"- **{name}:** {text}" for name, text in zip(
            ("Paper", "Authors' code", "Ours", "Measured effect", "Source"), "abcde", strict=True
        )),
        "- **Switch:** none",
    ]  # fmt: skip
