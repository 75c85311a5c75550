"""What training cost, from records made by hand."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from helpers.project import load_script
from helpers.records import write_record
from helpers.tables import one, page_of, pages_in
from l2i.checks import InputError
from l2i.provenance.records import load_record, record_path, validate_record
from l2i.reporting.costs import cost_of, device_text, spent, summarise_costs

GPU = {"name": "Big GPU", "driver": "1", "cuda": "12", "memory_bytes": 2**36}
GPU |= {"cudnn": "9.19.0", "peak_memory_bytes": 2**30}
FACTS = {"n_parameters": 2_400_000, "seconds_per_epoch": 20.0, "share_waiting": 0.25}


@pytest.fixture
def trained(tmp_path):
    """Write the record of a trained model; give its path."""

    def write(system="l2i_att", dataset="esc50", fold=1, cpu="Old CPU", gpu=None, **changes):
        path = tmp_path / f"{system}-{dataset}-{fold}-{len(list(tmp_path.rglob('*')))}.model"
        key = "system_settings" if system else "classifier"
        write_record(path, {key: {"n_epochs": changes.pop("n_epochs", 35)}}, dataset=dataset)
        record = json.loads(record_path(path).read_text(encoding="utf-8"))
        record["wildcards"] |= {"system": system} if system else {}
        record["host"]["cpu"], record["accelerator"] = cpu, gpu
        record["runtime"] |= {"device": "cuda" if gpu else "cpu", "n_threads": 2}
        record["runtime"] |= {"peak_memory_bytes": changes.pop("peak_memory_bytes", 3 * 2**30)}
        record["runtime"]["precision"] = changes.pop("precision", "float32")
        record["seconds"] = changes.pop("seconds", 800.0)
        record["facts"] = FACTS | changes
        validate_record(record)
        record_path(path).write_text(json.dumps(record), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def page(tmp_path):
    return lambda: (tmp_path / "cost.md").read_text(encoding="utf-8")


@pytest.fixture
def tabulate(tmp_path):
    def run(*systems, classifiers=(), datasets=("esc50",), names=("l2i_att", "flint")):
        load_script("tabulate_cost")(
            path_to_systems=list(systems),
            path_to_classifiers=list(classifiers),
            path_to_table=str(tmp_path / "cost.csv"),
            path_to_pages=pages_in(tmp_path, "cost"),
            datasets=list(datasets),
            systems=list(names),
            page=page_of(),
        )
        return pd.read_csv(tmp_path / "cost.csv")

    return run


class TestRows:
    def test_models_of_one_system_are_one_row_with_median_and_range(self, tabulate, trained, page):
        paths = [
            trained(fold=fold, seconds_per_epoch=seconds, seconds=total)
            for fold, (seconds, total) in enumerate([(20, 800), (22, 900), (90, 3500)])
        ]
        row = one(tabulate(*paths), system="l2i_att")
        assert (row["n"], row["n_parameters"], row["n_epochs"]) == (3, 2.4e6, 35)
        per_epoch = row[["seconds_per_epoch", "seconds_per_epoch_low", "seconds_per_epoch_high"]]
        assert list(per_epoch) == [22, 20, 90]
        assert (row["seconds"], row["seconds_of_all"]) == (900, 5200)
        assert row["share_waiting"] == 0.25
        assert (
            "| L2I w/ ATT | 2 threads of Old CPU | float32 | 3 | 2.40 | 35 | 22.0 [20.0, 90.0] "
            "| 25.0 | 3.00 | 900 | 5200 |"
        ) in page()

    def test_the_least_of_a_range_is_the_least(self, tabulate, trained):
        paths = [trained(seconds_per_epoch=seconds) for seconds in (7, 3, 5)]
        row = tabulate(*paths).iloc[0]
        assert (row["seconds_per_epoch_low"], row["seconds_per_epoch_high"]) == (3, 7)

    def test_memory_is_the_largest(self, tabulate, trained):
        paths = [trained(peak_memory_bytes=n * 2**30) for n in (1, 4, 2)]
        assert tabulate(*paths)["peak_memory_bytes"].iloc[0] == pytest.approx(4 * 2**30, rel=1e-5)

    def test_devices_and_precisions_are_never_mixed(self, tabulate, trained, page):
        paths = [
            trained(cpu="Old CPU", seconds_per_epoch=100),
            trained(cpu="New CPU", seconds_per_epoch=50),
            trained(gpu=GPU, seconds_per_epoch=2),
            trained(gpu=GPU, seconds_per_epoch=1, precision="bfloat16"),
        ]
        table = tabulate(*paths)
        assert list(table["n"]) == [1] * 4
        assert set(table["device"]) == {
            "2 threads of Old CPU",
            "2 threads of New CPU",
            "Big GPU, 2 threads of Old CPU",
        }
        assert one(table, precision="bfloat16")["seconds_per_epoch"] == 1
        assert "| Big GPU, 2 threads of Old CPU | bfloat16 | 1 | 2.40 | 35 | 1.00 | " in page()

    def test_order_is_that_of_the_settings_and_the_classifier_comes_last(self, tabulate, trained):
        systems = [
            trained("flint", "esc50"),
            trained("l2i_att", "openmic"),
            trained("l2i_att", "esc50"),
        ]
        table = tabulate(*systems, classifiers=[trained(None)], datasets=["openmic", "esc50"])
        assert list(zip(table["dataset"], table["system"], strict=True)) == [
            *(("openmic", "l2i_att"), ("esc50", "l2i_att"), ("esc50", "flint")),
            ("esc50", "base_f"),
        ]

    def test_a_system_without_epochs_has_empty_cells(self, tabulate, trained, page):
        path = trained(n_epochs=None, seconds_per_epoch=None, share_waiting=None)
        row = tabulate(path, trained("flint")).iloc[0]
        assert row[["n_epochs", "seconds_per_epoch", "share_waiting"]].isna().all()
        assert "| float32 | 1 | 2.40 |  |  |  | 3.00 | 800 | 800 |" in page()

    def test_nothing_trained_is_a_page_of_notes(self, tabulate, page):
        assert tabulate().empty
        assert page().startswith("# Table S9: numbers\n\nWhat is seen.\n\n- ")


class TestRecords:
    def test_a_gpu_that_was_not_used_is_not_named(self, trained):
        record = json.loads(record_path(trained()).read_text(encoding="utf-8"))
        record["accelerator"] = GPU
        assert device_text(record) == "2 threads of Old CPU"
        record["runtime"]["n_threads"] = 1
        assert device_text(record) == "1 thread of Old CPU"

    def test_what_a_record_does_not_tell_is_no_number(self, trained):
        record = json.loads(record_path(trained(None)).read_text(encoding="utf-8"))
        record["facts"], record["runtime"]["peak_memory_bytes"] = {}, None
        cost = cost_of(record, classifier="base_f")
        assert (cost["system"], cost["n_epochs"], cost["seconds"]) == ("base_f", 35, 800)
        trained_epochs = record | {"facts": {"n_epochs": 7}}
        assert cost_of(trained_epochs, classifier="base_f")["n_epochs"] == 7
        for name in ("n_parameters", "seconds_per_epoch", "share_waiting", "peak_memory_bytes"):
            assert math.isnan(cost[name])

    def test_a_model_without_a_record_is_refused(self, tabulate, tmp_path):
        with pytest.raises(InputError, match="lonely.*is missing"):
            tabulate(str(tmp_path / "lonely"))


def test_hours_are_of_gpus_and_of_cores_where_there_was_none(trained):
    paths = [trained(gpu=GPU, seconds=7200.0)]
    paths += [trained(fold=fold, seconds=900.0) for fold in (1, 2)]
    costs = [cost_of(load_record(path), classifier="base_f") for path in paths]
    table = summarise_costs(costs, datasets=["esc50"], systems=["l2i_att"])
    # Two threads each: 2 x 2 x 900 s.
    assert spent(table) == (3, pytest.approx(2.0), pytest.approx(1.0))
    assert spent(table.iloc[:0]) == (0, 0.0, 0.0)
