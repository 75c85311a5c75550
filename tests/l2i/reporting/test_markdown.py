"""l2i.reporting.markdown: tables as pages, measured numbers beside printed ones."""

from __future__ import annotations

import math

import pandas as pd

from helpers.small_reference import REFERENCE, measured, paper, printed
from l2i.reporting.beside_paper import COLUMNS, beside_paper
from l2i.reporting.markdown import (
    CLASS_SECTIONS,
    classes_to_markdown,
    to_markdown,
    write_table,
)
from l2i.tables import to_csv

TITLES = {"human": "human listeners", "ours": "Ours"}


class TestPages:
    def rows(self, *ours):
        return beside_paper(pd.concat(ours), paper(), datasets=["a"], comparable={"a": True})

    def page(self, *ours, **options):
        return to_markdown(self.rows(*ours), "Title", ["One note."], titles=TITLES, **options)

    def test_a_row_shows_both_sides_gap_and_verdict(self):
        page = self.page(measured(81.25), confidence=0.95)
        assert "| a | Ours | 81.2 ± 1.0 [79.2, 83.2] | 4 | 80.0 ± 2.0 | +1.2 | agrees |" in page
        assert "| esc50 of the paper | human listeners |  |  | 81.3 |  | reference |" in page

    def test_units_stand_in_headings_and_the_interval_in_its_column(self):
        page = self.page(measured(), measured(0.0123, metric="ff_median"), confidence=0.9)
        assert "## accuracy (%)\n" in page
        assert "## median faithfulness (drop in probability)\n" in page
        assert "ours: mean ± sd [90 % interval]" in page

    def test_missing_and_diverged_numbers_are_printed_as_such(self):
        assert "| **diverged** | 4 | 80.0 ± 2.0 | diverged |" in self.page(measured(math.nan))
        assert "| **missing** | " in self.page(measured(metric="ff_median"))

    def test_every_line_of_a_table_has_as_many_cells(self):
        lines = [
            x for x in self.page(measured(metric="ff_median")).splitlines() if x.startswith("|")
        ]
        by_section = {line.count("|") for line in lines[:4]}
        assert len(by_section) == 1

    def test_a_bound_is_printed_as_one(self):
        rows = beside_paper(
            measured(0.5),
            paper(reference=printed(mean=1e-4, spread=None, bound="<")),
            datasets=["a"],
            comparable={"a": True},
        )
        assert "| < 0.0001 |" in to_markdown(rows, "T", [], titles={})

    def test_nothing_is_printed_as_minus_zero(self):
        page = self.page(measured(-0.00001, metric="ff_median"), measured(79.99))
        assert "| 0.0000 ±" in page
        assert "| +0.0 | agrees |" in page

    def test_a_table_without_a_row_still_is_a_page(self, tmp_path):
        nothing = beside_paper(measured().iloc[:0], paper().iloc[:0], datasets=[], comparable={})
        table, page = tmp_path / "table_1.csv", tmp_path / "table_1.md"
        write_table(nothing, table, page, paper=REFERENCE, titles={}, confidence=0.95)
        assert table.read_text() == ",".join(COLUMNS) + "\n"
        assert page.read_text().startswith("# Table I\n\n- A caveat.\n")

    def test_definitions_stand_once_and_only_for_metrics_that_occur(self, tmp_path):
        names = ["macro_auprc", "micro_auprc"]
        rows = pd.concat([measured(0.5, metric=name) for name in names])
        rows = beside_paper(rows, paper().iloc[:0], datasets=["a"], comparable={"a": True})
        page = tmp_path / "table_1.md"
        write_table(rows, tmp_path / "t.csv", page, paper=REFERENCE, titles={}, notes=["Our own."])
        assert page.read_text().count("evaluator of DCASE") == 1
        assert "F1 is taken" not in page.read_text()
        assert page.read_text().splitlines()[-2] == "- Our own."

    def test_what_intervals_and_spreads_tell_of_stands_below_numbers_that_have_them(self, tmp_path):
        page = tmp_path / "table_1.md"
        for confidence, times in ((0.95, 1), (None, 0)):
            rows = self.rows(measured())
            how = {"paper": REFERENCE, "titles": {}, "confidence": confidence}
            write_table(rows, tmp_path / "t.csv", page, **how)
            for said in ("interval is one over recordings", "share its classifier and dictionary"):
                assert page.read_text().count(said) == times

    def test_title_comes_first_and_notes_last(self):
        page = self.page(measured())
        assert page.startswith("# Title\n\n## ")
        assert page.endswith("\n\n- One note.\n")

    def test_csv_has_the_same_bytes_for_the_same_numbers(self):
        rows = self.rows(measured(80.00000123456789))
        header, _, line = to_csv(rows).splitlines()
        assert header.split(",") == COLUMNS
        assert line == "1,ours,a,accuracy,,80,1,4,78,82,esc50,80,2,5,,1.23457e-06,agrees"

    def test_both_files_are_written_with_the_papers_caveats(self, tmp_path):
        table, page = tmp_path / "table_1.csv", tmp_path / "table_1.md"
        rows = self.rows(measured())
        write_table(rows, table, page, paper=REFERENCE, titles={}, confidence=0.95)
        assert table.read_text() == to_csv(rows)
        assert page.read_text().startswith("# Table I\n")
        assert "- A caveat." in page.read_text()


class TestNames:
    """Names of classes, clips and systems come from outside, and are shown as they are."""

    def test_titles_and_headings_too(self):
        rows = beside_paper(measured(), paper(), datasets=["a"], comparable={"a": True})
        page = to_markdown(rows, "Title", [], titles=TITLES | {"ours": "A|B *new*"})
        assert r"| A\|B \*new\* |" in page

    def test_classes(self):
        rows = pd.DataFrame(
            {
                "dataset": "a",
                "class": ["a|b", "None"],
                "quantity": list(CLASS_SECTIONS)[1],
                "system": "base_f",
                "metric": "accuracy",
                "condition": "",
                "mean": 0.5,
                "spread": 0.1,
                "n": 2,
                "low": 0.4,
                "high": 0.6,
            }
        )
        every = pd.concat([rows.assign(quantity=name) for name in CLASS_SECTIONS])
        page = classes_to_markdown(every, titles={}, threshold=0.1, confidence=0.95)
        assert page.count(r"| a\|b | ") == len(CLASS_SECTIONS)
        assert page.count("| None | ") == len(CLASS_SECTIONS)
