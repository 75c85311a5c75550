"""Tables II and III: settings beside the paper's, from records made by hand."""

from __future__ import annotations

import pytest

from helpers.records import write_record
from helpers.tables import of_datasets, one
from l2i.checks import InputError
from l2i.provenance.records import record_path


class TestHyperparameters:
    PAPERS = {"reconstruction_weight": 10.0, "sparsity_weight": 0.8, "n_epochs": 35}

    @pytest.fixture
    def interpreter(self, tmp_path):
        """Write the records of an interpreter and its dictionary; give its path."""

        def write(
            fold=1, n_components=100, fidelity_weight=((1, 1.0),), dataset="esc50", **changes
        ):
            name = f"{dataset}-{fold}" if dataset != "esc50" else str(fold)
            path, dictionary = tmp_path / f"{name}.model", tmp_path / f"{name}.dictionary"
            ours = self.PAPERS | {"fidelity_weight": fidelity_weight, **changes}
            write_record(dictionary, {"dictionary": {"n_components": n_components}})
            inputs = [("classifier", "x"), ("dictionary", dictionary)]
            write_record(path, {"system_settings": ours}, inputs, dataset=dataset)
            return str(path)

        return write

    def run(self, tabulate, *paths, number="2", comparable=True):
        return tabulate(
            "tabulate_hyperparameters",
            path_to_systems=list(paths),
            number=number,
            table=int(number),
            datasets=of_datasets("esc50", paper_comparable={"esc50": comparable}),
        )

    def test_the_papers_settings_agree(self, tabulate, interpreter):
        table = self.run(tabulate, interpreter(1), interpreter(2))
        printed = ["reconstruction_weight", "sparsity_weight", "n_components", "n_epochs"]
        assert list(table["metric"]) == [*printed, "fidelity_weight"]
        assert list(table["mean"]) == [10.0, 0.8, 100, 35, 1.0]
        assert list(table["verdict"][:4]) == ["agrees"] * 4
        assert not isinstance(table["verdict"][4], str)  # the paper prints none

    def test_another_setting_differs_however_little(self, tabulate, interpreter):
        table = self.run(tabulate, interpreter(sparsity_weight=0.79))
        row = one(table, metric="sparsity_weight")
        assert (row["verdict"], row["gap"]) == ("set otherwise", -0.01)
        assert list(table["verdict"]).count("agrees") == 3

    def test_components_are_those_of_the_dictionary_that_was_used(self, tabulate, interpreter):
        row = one(self.run(tabulate, interpreter(n_components=80)), metric="n_components")
        assert (row["mean"], row["verdict"]) == (80, "set otherwise")

    def test_a_weight_that_changes_during_training_has_a_row_for_each_step(
        self, tabulate, interpreter, page
    ):
        table = self.run(tabulate, interpreter(fidelity_weight=[[1, 0.5], [20, 1.0]]))
        rows = table[table["metric"] == "fidelity_weight"]
        assert list(rows["condition"].fillna("")) == ["", "from_epoch=20"]
        assert list(rows["mean"]) == [0.5, 1.0]
        assert "L2I, post-hoc | from epoch 20 | 1.0 |" in page()

    @pytest.mark.parametrize(
        ("metric", "other"),
        [
            ("n_components", {"n_components": 80}),
            ("n_epochs", {"n_epochs": 34}),
            ("fidelity_weight", {"fidelity_weight": [[1, 0.5]]}),
        ],
    )
    @pytest.mark.parametrize("comparable", [True, False])
    def test_interpreters_that_do_not_agree_are_called_mixed(
        self, tabulate, interpreter, page, metric, other, comparable
    ):
        paths = interpreter(1), interpreter(2, **other), interpreter(3)
        table = self.run(tabulate, *paths, comparable=comparable)
        mixed = table[table["verdict"] == "mixed"]
        assert list(mixed["metric"]) == [metric]
        assert mixed["mean"].isna().all()
        assert "| **mixed** |" in page()

    def test_a_step_that_not_all_made_is_mixed(self, tabulate, interpreter):
        paths = interpreter(1), interpreter(2, fidelity_weight=[[1, 1.0], [20, 2.0]])
        rows = self.run(tabulate, *paths)
        assert one(rows, metric="fidelity_weight", condition="from_epoch=20")["verdict"] == "mixed"

    def test_a_setting_is_the_papers_or_set_otherwise_whatever_the_data(
        self, tabulate, interpreter
    ):
        table = self.run(tabulate, interpreter(n_epochs=30), comparable=False)
        assert set(table["verdict"].dropna()) == {"agrees", "set otherwise"}
        row = one(table, metric="n_epochs")
        assert (row["verdict"], row["gap"]) == ("set otherwise", -5)

    def test_each_data_set_stands_beside_its_own_numbers(self, tabulate, interpreter):
        sonyc = {"dataset": "sonyc_ust", "n_components": 80, "n_epochs": 21}
        paths = [interpreter(1), *(interpreter(f"official-{run}", **sonyc) for run in (0, 1))]
        table = tabulate(
            "tabulate_hyperparameters",
            path_to_systems=paths,
            number="2",
            datasets=of_datasets("sonyc_ust", "esc50"),
        )
        for dataset, n_components in (("sonyc_ust", 80), ("esc50", 100)):
            rows = table[(table["dataset"] == dataset) & table["paper_mean"].notna()]
            assert set(rows["verdict"]) == {"agrees"}
            assert one(rows, metric="n_components")["mean"] == n_components

    def test_those_of_l2i_by_design_stand_beside_table_3(self, tabulate, interpreter, page):
        ours = {"prediction_weight": 1.0, "reconstruction_weight": 3.0, "sparsity_weight": 0.2}
        table = self.run(tabulate, interpreter(n_epochs=51, **ours), number="3")
        assert set(table["verdict"]) == {"agrees"} and set(table["system"]) == {"l2i_bd"}
        assert list(table["metric"]) == [*ours, "n_components", "n_epochs"]
        assert "| Dataset | first weight | α | β | K | # of epochs |" in page()
        other = interpreter(2, n_epochs=51, **ours | {"prediction_weight": 0.5})
        row = one(self.run(tabulate, other, number="3"), metric="prediction_weight")
        assert (row["gap"], row["verdict"]) == (-0.5, "set otherwise")

    def test_a_table_of_nothing_trained_misses_all(self, tabulate):
        assert set(self.run(tabulate)["verdict"]) == {"missing"}

    def test_the_page_speaks_of_no_interval(self, tabulate, interpreter, page):
        self.run(tabulate, interpreter())
        assert "interval" not in page()
        assert "| esc50 | L2I, post-hoc | 100 | 100 | +0 | agrees |" in page()

    def test_an_interpreter_without_a_record_is_refused(self, tabulate, interpreter, tmp_path):
        path = interpreter()
        record_path(tmp_path / "1.dictionary").unlink()
        with pytest.raises(InputError, match=r"\.records/1\.dictionary\.json is missing"):
            self.run(tabulate, path)
