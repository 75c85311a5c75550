"""config/README.md: the reference of the configuration, held to the schema and to config.yaml."""

from __future__ import annotations

import re
from collections import Counter

import pytest
import yaml

from configuration.systems import description_of
from documentation.reference_page import kind_of, reference_page
from helpers.project import PROJECT

SCHEMA = yaml.safe_load((PROJECT / "workflow/schemas/config.schema.yaml").read_text())
CONFIG = yaml.safe_load((PROJECT / "config.yaml").read_text())


@pytest.fixture(scope="module")
def page():
    return reference_page()


@pytest.fixture(scope="module")
def rows(page):
    """Cells of the tables, by the title above each and the first cell of a row."""
    found, title = {}, ""
    for line in page.splitlines():
        if line.startswith("#"):
            title = line.strip("# ").replace("`", "")
        elif line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found[title, cells[0].strip("`")] = cells
    return found


def test_the_page_that_lies_there_is_of_this_schema_and_this_configuration(page):
    assert (PROJECT / "config/README.md").read_text() == page, "run: make reference"


def names_in(schema):
    """Every name of a key that a schema knows, in no order."""
    if isinstance(schema, list):
        return [name for part in schema for name in names_in(part)]
    if not isinstance(schema, dict):
        return []
    own = list(schema["properties"]) if isinstance(schema.get("properties"), dict) else []
    return own + [name for part in schema.values() for name in names_in(part)]


def test_every_key_has_a_row_wherever_it_stands(rows):
    """One row for each time that a name stands in the schema; sections are named by the first."""
    of_schema = [key for title, key in rows if not title.startswith(("module", "Layouts"))]
    told = Counter(key.rpartition(".")[2] for key in of_schema)
    assert not Counter(names_in(SCHEMA["properties"])) - told
    sections = {title.partition(".")[0] for title, _ in rows}
    assert SCHEMA["properties"].keys() <= sections | told.keys()


def test_every_row_has_a_meaning(rows):
    of_schema = {key: cells for key, cells in rows.items() if "Systems of" not in key[0]}
    assert not [key for key, cells in of_schema.items() if key[0] != "Layouts" and not cells[-1]]


def test_every_setting_of_every_system_has_a_row(rows):
    for entry in CONFIG["systems"].values():
        if "module" in entry:
            for name in description_of(entry["module"]).settings:
                assert (f"module: {entry['module']}", name) in rows


@pytest.mark.parametrize(
    ("title", "key", "default"),
    [
        ("features", "sample_rate", "`44100`"),
        ("The run", "seed", "`0`"),
        ("machine", "ratings", "`null`"),
        ("evaluation", "random.n_draws", "`5`"),
        ("datasets.NAME", "source", "`download`"),
        ("datasets.NAME", "clip_seconds", "esc50: `5.0`<br>sonyc_ust, openmic: `10.0`"),
        (
            "datasets.NAME.dictionary",
            "n_components",
            "esc50: `100`<br>sonyc_ust: `80`<br>openmic: `300`",
        ),
        ("module: vibi", "n_kept", "of `5`, `10`, `15`, `20`"),
        ("module: posthoc", "dropout", "l2i_att: `0.0`, esc50: `0.4`<br>l2i_max: `0.3`"),
        ("ablations", "table_6", "as in `config.yaml`"),
    ],
)
def test_a_default_is_what_the_configuration_says(rows, title, key, default):
    assert rows[title, key][2] == default


def test_quantities_with_a_unit_have_it(rows):
    units = {"_db": "dB", "_dbfs": "dB FS", "seconds": "s", "sample_rate": "Hz"}
    told = {key: cells for key, cells in rows.items() if len(cells) == 5}
    for title, key in rows:
        wanted = [unit for end, unit in units.items() if key.endswith(end)]
        if wanted and not title.startswith("module"):
            assert told[title, key][3] == wanted[0]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1}, "integer ≥ 1"),
        ({"$ref": "#/$defs/rate"}, "number > 0, ≤ 1"),
        ({"$ref": "#/$defs/switch"}, "true or false"),
        ({"type": ["integer", "null"], "minimum": 2}, "integer ≥ 2 or null"),
        ({"enum": [1, "a|b"]}, r"`1` or `a\|b`"),
        ({"oneOf": [{"const": "mean"}, {"type": "integer"}]}, "`mean` or integer"),
        ({"type": "array", "items": {"type": "string"}}, "list: text"),
        ({"type": "array", "items": {"$ref": "#/$defs/taps"}}, "list of lists: `B1` or `B2` or"),
        ({"$ref": "#/$defs/weight_by_epoch"}, "list: (integer ≥ 1, number ≥ 0)"),
        ({"type": "array", "minItems": 2, "maxItems": 2, "items": {}}, "list of 2: any"),
        ({"type": "string", "pattern": "^(https?://|file:)"}, "address"),
    ],
)
def test_what_a_value_may_be_is_said_in_words(schema, words):
    assert kind_of(schema).startswith(words)


def test_tables_are_whole(page):
    """A bar in a text would begin another cell."""
    n_cells = 0
    for line in page.splitlines():
        found = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert found in (0, n_cells) or not n_cells
        n_cells = found


def test_every_overlay_is_listed(page):
    for path in {*(PROJECT / "config").glob("*.yaml")} - {PROJECT / "config/config.yaml"}:
        assert re.search(rf"^\| \[`{path.name}`\]\({path.name}\) \| \w+", page, re.MULTILINE)
