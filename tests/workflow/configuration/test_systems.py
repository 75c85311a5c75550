"""configuration.systems: what decides how a system is trained, and nothing else."""

import pytest
import yaml

from configuration.reading import resolved
from configuration.systems import starts_one, training_of
from helpers.project import PROJECT


@pytest.fixture
def config():
    return resolved(yaml.safe_load((PROJECT / "config.yaml").read_text()))


class TestSelection:
    def test_an_interpreter_with_a_choice_needs_the_classifier_that_has_not_learned_from_it(
        self, config
    ):
        of_dataset = config["datasets"]["openmic"]
        training = training_of(config, "openmic", "vibi")
        assert training["selection"] == {
            "seed": config["seed"],
            "metric": "f1",
            "classifier": of_dataset["classifier"],
        }
        assert training["start"] == {
            name: of_dataset["classifier"][name] for name in ("width", "head_units", "dropout")
        }
        assert starts_one(config["systems"]["vibi"])  # from the weights that the fold's starts from

    def test_with_one_value_of_each_setting_it_depends_on_neither_metric_nor_classifier(
        self, config
    ):
        config["systems"]["vibi"]["grid"] = {"n_kept": [10], "information_weight": [0.01]}
        training = training_of(config, "openmic", "vibi")
        assert training["selection"] is None and training["start"] is None
        assert not starts_one(config["systems"]["vibi"])

    def test_a_system_that_explains_no_classifier_is_chosen_on_labels(self, config):
        training = training_of(config, "sonyc_ust", "tdl_nmf")
        assert training["selection"]["metric"] == "auprc"
        assert training["selection"]["classifier"] is None and training["start"] is None
