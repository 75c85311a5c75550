"""l2i.reporting.paper_page: every number with its details, and what a reader must know."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from configuration.job_settings import printed_in
from helpers.small_reference import REFERENCE, measured, paper, printed
from helpers.tables import page_of
from l2i.reporting.beside_paper import COLUMNS, beside_paper
from l2i.reporting.markdown import to_markdown
from l2i.reporting.paper_page import paper_page
from l2i.reporting.tables import rows_beside_paper

TITLES = {"human": "human listeners", "ours": "Ours", "a": "Data A"}
STATISTICS = {"confidence": 0.95}
EXCLUDING = [{"name": "sonyc_ust", "excluded_classes": ["mute"], "paper_dataset": "sonyc_ust"}]


def rows_of(*ours):
    return beside_paper(pd.concat(ours), paper(), datasets=["a"], comparable={"a": True})


def page(rows, *, statistics=STATISTICS, reference=REFERENCE, **options):
    how = {"paper": reference, "statistics": statistics, **options}
    return to_markdown(paper_page(rows, "table_1", page_of(TITLES), **how))


class TestDetails:
    def test_a_row_shows_both_sides_gap_and_verdict_under_titles(self):
        text = page(rows_of(measured(81.25)))
        assert (
            "| Data A | Ours | 81.2 ± 1.0 [79.2, 83.2] | 4 | 80.0 ± 2.0 | +1.2 | agrees |" in text
        )
        assert "| ESC-50 of the paper | human listeners |  |  | 81.3 |  | reference |" in text
        assert text.startswith(
            "# Table S9: numbers\n\nWhat is seen.\n\n## As the paper prints it\n"
        )

    def test_units_stand_in_headings_and_the_interval_in_its_column(self):
        rows = rows_of(measured(), measured(0.0123, metric="ff_median"))
        text = page(rows, statistics={"confidence": 0.9})
        assert "\n## accuracy (%)\n" in text and "ours: mean ± sd [90 % interval]" in text
        assert "\n## median faithfulness (drop in probability)\n" in text

    def test_missing_and_diverged_numbers_are_printed_as_such(self):
        assert "| **diverged** | 4 | 80.0 ± 2.0 | diverged |" in page(rows_of(measured(math.nan)))
        assert "| **missing** |" in page(rows_of(measured(metric="ff_median")))

    def test_a_bound_is_printed_as_one(self):
        reference = printed(mean=1e-4, spread=None, bound="<")
        rows = beside_paper(
            measured(0.5), paper(reference=reference), datasets=["a"], comparable={"a": True}
        )
        assert "| < 0.0001 |" in page(rows, reference=reference)

    def test_names_from_outside_are_shown_as_they_are(self):
        how = {"paper": REFERENCE, "statistics": STATISTICS}
        called = page_of(TITLES | {"ours": "A|B *new*"})
        text = to_markdown(paper_page(rows_of(measured()), "table_1", called, **how))
        assert r"| A\|B \*new\* |" in text

    def test_a_table_without_a_row_still_is_a_page(self):
        nothing = beside_paper(measured().iloc[:0], paper().iloc[:0], datasets=[], comparable={})
        assert list(nothing) == COLUMNS
        text = page(nothing)
        assert "- A caveat." in text and "As the paper prints it" not in text


class TestNotes:
    def test_definitions_stand_once_and_only_for_metrics_that_occur(self):
        rows = pd.concat([measured(0.5, metric=name) for name in ("macro_auprc", "micro_auprc")])
        rows = beside_paper(rows, paper().iloc[:0], datasets=["a"], comparable={"a": True})
        text = page(rows, notes=["Our own."])
        assert text.count("evaluator of DCASE") == 1 and "F1 is taken" not in text
        assert "\n- Our own.\n" in text

    @pytest.mark.parametrize(("statistics", "times"), [(STATISTICS, 1), (None, 0)])
    def test_intervals_and_spreads_are_explained_where_there_are_any(self, statistics, times):
        text = page(rows_of(measured()), statistics=statistics)
        for said in ("interval is one over recordings", "share its classifier and dictionary"):
            assert text.count(said) == times
        assert text.count("set otherwise where") == 1 - times


class TestExcludedClasses:
    """The paper scores fidelity without some classes, and classification with all."""

    @pytest.mark.parametrize(
        ("condition", "words"),
        [("classes=all", ["without mute", "all classes"])]
        + [("excluded=mute", ["all classes", "without mute"])],
    )
    def test_each_number_says_which_it_is_over_and_one_note_says_why(self, condition, words):
        both = [
            measured(0.5, dataset="sonyc_ust", metric="macro_auprc", condition=each)
            for each in ("", condition)
        ]
        rows = beside_paper(
            pd.concat(both),
            paper().iloc[:0],
            datasets=["sonyc_ust"],
            comparable={"sonyc_ust": True},
        )
        text = page(rows, datasets=EXCLUDING)
        lines = [line.split(" | ")[2] for line in text.splitlines() if line.startswith("| sonyc")]
        assert lines == words and text.count("Means over classes") == 1
        assert "is no such mean, and is over all classes" in text  # micro-AUPRC, max-F1

    def test_where_none_are_excluded_nothing_is_said(self):
        assert "Means over classes" not in page(rows_of(measured()), datasets=[{"name": "a"}])


class TestWhatIsNotRun:
    """A sentence for what the configuration leaves out, a row for what failed to come."""

    def rows(self, taps):
        said = printed_in(6)
        number = {"system": "l2i_att", "dataset": "esc50", "metric": "top_1_fidelity", "n": 1}
        ours = [{**number, "mean": 1.0, "condition": f"fold=1, taps={each}"} for each in taps]
        datasets = [{"name": "esc50", "paper_dataset": "esc50", "paper_comparable": True}]
        how = {"table": 6, "datasets": datasets, "systems": ["l2i_att"], "paper": said}
        asked = {"fold=1, taps=B3", "fold=1, taps=B6"}
        return rows_beside_paper(ours, is_run=lambda _s, _m, condition: condition in asked, **how)

    def test_what_was_asked_for_and_is_not_there_is_missing_and_the_rest_absent(self):
        rows = self.rows(["B6"])
        assert set(rows.loc[rows["verdict"] == "missing", "condition"]) == {
            *("fold=1, taps=B3", "fold=1, taps=B6")
        }
        assert len(rows) == 6

    def test_what_is_not_run_is_one_sentence(self):
        how = {"paper": printed_in(6), "statistics": STATISTICS}
        text = to_markdown(paper_page(self.rows(["B6"]), "table_6", page_of({}), **how))
        left_out = "from B2+B3; from B5+B6; from B4+B5+B6; from the input."
        said = f"In the paper and not in this run: {left_out}"
        assert text.count(said) == 1

    def test_data_sets_that_do_not_run_are_named(self):
        datasets = [{"name": "esc50", "paper_dataset": "esc50", "paper_comparable": True}]
        ours = [{"system": "vibi", "dataset": "esc50", "metric": "top_1_fidelity", "mean": 1.0}]
        ours[0] |= {"condition": "", "n": 1}
        how = {"table": 4, "datasets": datasets, "systems": ["vibi"], "paper": printed_in(4)}
        rows = rows_beside_paper(ours, **how)
        shown = paper_page(rows, "table_4", page_of({}), paper=printed_in(4), statistics=STATISTICS)
        assert not rows["dataset"].isin(["sonyc_ust", "openmic"]).any()
        (said,) = [note for note in shown.notes if note.startswith("In the paper and not")]
        assert "SONYC-UST; OpenMIC-2018" in said
