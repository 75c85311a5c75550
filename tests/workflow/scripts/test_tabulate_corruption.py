"""The table of clips in company, from scores made by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.project import load_script
from helpers.tables import STATISTICS, found_in_company, page_of, pages_in

TITLES = {"l2i_att": "L2I", "l2i_bd": "by design", "oracle_mask": "the best", "mixture": "as it is"}
TITLES |= {"esc50": "ESC-50"}


@pytest.fixture
def tabulated(tmp_path, write):
    """Tabulate frames of systems and of references; the table, by its keys, and the page."""

    def run(frames, references, systems=("l2i_att",), beside=("oracle_mask", "mixture")):
        load_script("tabulate_corruption")(
            path_to_clips=write("clips", frames),
            path_to_references=write("references", references),
            path_to_table=str(tmp_path / "table.csv"),
            path_to_pages=pages_in(tmp_path),
            datasets=["esc50"],
            systems=[*systems],
            references=[*beside],
            page=page_of(TITLES),
            statistics=STATISTICS,
            seed=0,
        )
        table = pd.read_csv(tmp_path / "table.csv")
        assert set(table["table"]) == {"corruption"} and set(table["dataset"]) == {"esc50"}
        keys = ["system", "metric", "condition"]
        assert not table.duplicated(keys).any()
        return table.set_index(keys), (tmp_path / "table.md").read_text()

    return run


def oracle(improvement=(20, 30, 40) * 2, **how):
    return found_in_company(improvement, "oracle_mask", predictor=None, n_selected=None, **how)


AT_0 = "kind=noise, snr_db=0"


def test_means_medians_and_shares_are_those_of_the_rows(tabulated):
    frame = found_in_company([-6, 3, 6] * 2, empty=[1, 0, 0] * 2)
    table, page = tabulated([frame], [oracle()])
    of_system = table.loc["l2i_att"]
    for metric, expected in {
        "interpretation_si_sdr": 1,
        "interpretation_improvement": 1,
        "interpretation_improvement_median": 3,
        "remainder_si_sdr": 2,
        "remainder_improvement": 2,
        "remainder_improvement_median": 6,
        "empty_interpretation": 100 / 3,
    }.items():
        row = of_system.loc[(metric, AT_0)]
        assert row["mean"] == pytest.approx(expected, rel=1e-5) and row["n"] == 1
        assert row["low"] <= row["mean"] <= row["high"]
        assert row["low"] < row["high"]
    assert table.loc[("oracle_mask", "interpretation_improvement", AT_0), "mean"] == 30
    assert "| L2I | 1.0 [" in page and "| the best | 30.0 [" in page
    assert "kept between -30 and 60 dB" in page and "## ESC-50: silent interpretations (%)" in page


def test_the_mixture_is_what_improvements_are_over(tabulated):
    frames = [found_in_company([0, 1], snr_db=snr_db) for snr_db in (-5, 5)]
    table, _ = tabulated([pd.concat(frames)], [pd.concat([oracle([1, 2], snr_db=5)])])
    mixture = table.loc["mixture"]
    assert mixture.loc[("interpretation_si_sdr", "kind=noise, snr_db=5"), "mean"] == 5
    assert mixture.loc[("remainder_si_sdr", "kind=noise, snr_db=5"), "mean"] == -5
    assert len(mixture) == 2, "it improves on nothing"


def test_a_decision_is_told_once_of_each_network_that_decides(tabulated):
    right, survives = [1, 1, 0, 0], [1, 0, 1, 0]
    said = {"right_when_clean": right, "survives": survives}
    frames = [
        found_in_company([0] * 4, **said),
        found_in_company([0] * 4, "l2i_bd", predictor="interpreter", survives=[1, 1, 1, 0]),
    ]
    table, _ = tabulated(frames, [oracle([0] * 4, **said)], ["l2i_att", "l2i_bd"])
    survival = table.xs("class_survives", level="metric")["mean"]
    of_right = table.xs("class_survives_of_right", level="metric")["mean"]
    assert survival.to_dict() == {("base_f", AT_0): 50, ("l2i_bd", AT_0): 75}
    assert of_right.to_dict() == {("base_f", AT_0): 50, ("l2i_bd", AT_0): 75}
    frames = [found_in_company([0] * 3, survives=[1, 1, 0], right_when_clean=[1, 0, 0])]
    table, _ = tabulated(frames, [oracle([0] * 3, survives=[1, 1, 0], right_when_clean=[1, 0, 0])])
    assert table.loc[("base_f", "class_survives_of_right", AT_0), "mean"] == 100


def test_intervals_are_over_recordings(tabulated):
    alike = [np.repeat([0.0, 8.0, 4.0, 6.0], 6)]
    sources = np.repeat(["a", "b", "c", "d"], 6)
    apart, _ = tabulated([found_in_company(*alike)], [oracle([0] * 24)])
    together, _ = tabulated([found_in_company(*alike, source=sources)], [oracle([0] * 24)])
    row = "l2i_att", "interpretation_improvement", AT_0
    widths = [table.loc[row, "high"] - table.loc[row, "low"] for table in (apart, together)]
    assert widths[1] > 1.5 * widths[0]


def test_ratios_stand_side_by_side_in_their_order(tabulated):
    frames = [
        found_in_company([0, 1], snr_db=snr_db, kind=kind)
        for kind in ("class", "noise")
        for snr_db in (10, -10, 0.5)
    ]
    references = [oracle([1, 2], snr_db=each["snr_db"][0], kind=each["kind"][0]) for each in frames]
    table, page = tabulated([pd.concat(frames)], [pd.concat(references)])
    assert "kind=class, snr_db=0.5" in table.index.get_level_values("condition")
    assert "| system | -10 dB | 0.5 dB | 10 dB |" in page
    assert 0 < page.index("With white noise:") < page.index("With a clip of another class:")
