"""Tables VI and VII: hidden layers and weights of losses, on scores made by hand."""

from __future__ import annotations

import pytest

from helpers.tables import STATISTICS, fidelity_ranks, of_datasets, one, tags
from l2i.checks import InputError


class TestAblation:
    def row(self, dataset, variant, **condition):
        fold = str(condition.get("fold", "official"))
        key = {"dataset": dataset, "fold": fold, "system": "l2i_att", "variant": variant}
        return key | {"condition": condition}

    def run(self, tabulate, number, rows, *frames, **said):
        return tabulate(
            *("tabulate_ablation", frames),
            table=number,
            number=str(number),
            rows=rows,
            datasets=of_datasets("esc50", "sonyc_ust", "openmic", **said),
            statistics=STATISTICS,
            seed=0,
        )

    def test_hidden_layers_stand_beside_the_papers(self, tabulate, page):
        losses = {"reconstruction_loss": [0.1, 0.2, 0.3] * 2, "fidelity_loss": [1.0, 2.0, 3.0] * 2}
        frames = [
            fidelity_ranks([1, 2, 3] * 2).assign(variant=variant, **losses)
            for variant in ("taps-B3", "default")
        ]
        frames[1]["reconstruction_loss"] /= 2
        rows = [
            self.row("esc50", "taps-B3", fold=1, taps=["B3"]),
            self.row("esc50", "default", fold=1, taps=["B4", "B5", "B6"]),
        ]
        table = self.run(tabulate, 6, rows, *frames)
        key = {"system": "l2i_att", "condition": "fold=1, taps=B3"}
        got = {
            metric: one(table, metric=metric, **key)
            for metric in ("reconstruction_loss", "fidelity_loss", "top_1_fidelity")
        }
        means = {metric: (row["mean"], row["paper_mean"]) for metric, row in got.items()}
        assert means == {
            "reconstruction_loss": (0.2, 0.104),
            "fidelity_loss": (2.0, 1.788),
            "top_1_fidelity": (pytest.approx(100 / 3, abs=1e-3), 53.0),
        }
        assert got["fidelity_loss"]["low"] < 2 < got["fidelity_loss"]["high"]
        assert (got["fidelity_loss"]["n"], got["fidelity_loss"]["verdict"]) == (1, "no spread")
        key["condition"] = "fold=1, taps=B4+B5+B6"
        assert one(table, metric="reconstruction_loss", **key)["mean"] == 0.1
        assert not table["verdict"].eq("missing").any()
        left_out = "from B6; from B2+B3; from B5+B6; from the input"
        assert f"- In the paper and not in this run: {left_out}.\n" in page()

    def test_weights_of_losses_stand_beside_the_papers(self, tabulate):
        frames = [tags("sonyc_ust", "fidelity").assign(variant="weights-10-8")]
        frames.append(tags("sonyc_ust", "fidelity", fidelity_loss=0.7))
        rows = [
            self.row("sonyc_ust", variant, reconstruction_weight=10.0, sparsity_weight=weight)
            for variant, weight in (("default", 0.8), ("weights-10-8", 8.0))
        ]
        excluded = {"excluded_classes": {"sonyc_ust": ["dog"]}}
        table = self.run(tabulate, 7, rows, *frames, **excluded)
        condition = "reconstruction_weight=10, sparsity_weight=0.8"
        row = one(table, metric="macro_auprc", condition=condition)
        assert (row["mean"], row["paper_mean"]) == (pytest.approx(7 / 8), 0.900)
        assert one(table, metric="fidelity_loss", condition=condition)["mean"] == 0.7
        condition = "reconstruction_weight=10, sparsity_weight=8"
        row = one(table, metric="reconstruction_loss", condition=condition)
        assert (row["mean"], row["paper_mean"]) == (0.25, 0.048)

    def test_one_variant_may_stand_in_several_rows(self, tabulate):
        frame = tags("sonyc_ust", "fidelity")
        rows = [
            self.row("sonyc_ust", "default", reconstruction_weight=w, sparsity_weight=0.8)
            for w in (1.0, 10.0)
        ]
        table = self.run(tabulate, 7, rows, frame)
        assert table[table["mean"].notna()]["metric"].value_counts().to_dict() == {
            **dict.fromkeys(("reconstruction_loss", "fidelity_loss", "macro_auprc"), 2)
        }

    def test_folds_and_systems_stay_apart(self, tabulate):
        losses = {"reconstruction_loss": 0.1, "fidelity_loss": 1.0}
        frames = [
            fidelity_ranks([1, 1]).assign(**losses),
            fidelity_ranks([2, 2], fold=2).assign(**losses),
            fidelity_ranks([2, 2], system="l2i_max").assign(**losses),
        ]
        rows = [self.row("esc50", "default", fold=1, taps=["B4", "B5", "B6"])]
        table = self.run(tabulate, 6, rows, *frames)
        assert list(table[table["metric"] == "top_1_fidelity"]["mean"].dropna()) == [100.0]

    def test_a_variant_that_was_not_measured_is_named(self, tabulate):
        rows = [self.row("sonyc_ust", "weights-1-1", sparsity_weight=1.0)]
        with pytest.raises(InputError, match="no clip of sonyc_ust .*variant=weights-1-1"):
            self.run(tabulate, 7, rows, tags("sonyc_ust", "fidelity"))
