"""The examples of CONTRIBUTING.md, followed as printed.

The one of "Add a system" is followed in test_workflow.py, where a run is at hand to add it to.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml
from snakemake.utils import update_config

from configuration.reading import resolved
from configuration.systems import settings_on
from configuration.validation import validate_config
from helpers.pages import changed, follow, steps
from helpers.project import PROJECT
from helpers.tables import page_of, pages_in
from helpers.tiny_project import Project
from l2i.checks import InputError

PAGE = PROJECT / "CONTRIBUTING.md"
HOW_TO = ["Add a data set", "Add a layout", "Add a metric", "Add a table", "Add a figure"]
HOW_TO += ["Add a system", "Add a setting"]


def written(heading, name):
    """What a new file of this name holds, after a section."""
    (text,) = (step.text for step in steps(PAGE, heading) if step.path.endswith(name))
    return text


def loaded(heading, name):
    """The names that a new module or script of a section defines."""
    module = {"__name__": name}
    exec(compile(written(heading, f"{name}.py"), f"{name}.py", "exec"), module)
    return SimpleNamespace(**module)


def farm(project):
    """The overlay of the data set, laid over nothing else."""
    return yaml.safe_load((project.folder / "config/farm.yaml").read_text(encoding="utf-8"))


def output_of(project, code):
    """What a program prints that imports the library of a project."""
    path = os.pathsep.join(
        [str(project.folder / "workflow"), str(project.folder / "workflow/scripts")]
    )
    environment = os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def followed(tmp_path_factory):
    """A copy of the project with every example in it."""
    project = Project(tmp_path_factory.mktemp("followed") / "project", PROJECT, {})
    for heading in HOW_TO:
        follow(PAGE, heading, project.folder)
    project.configure(farm(project))
    return project


@pytest.fixture(scope="module")
def planned(followed):
    """Rules that a run of the data set with all examples executes."""
    return followed.planned()


class TestADataSet:
    @pytest.fixture
    def config(self):
        config = yaml.safe_load((PROJECT / "config.yaml").read_text(encoding="utf-8"))
        update_config(config, yaml.safe_load(written("Add a data set", "farm.yaml")))
        return resolved(config)

    def test_the_entry_is_valid(self, config):
        validate_config(config)

    def test_settings_of_systems_are_those_of_the_data_set_that_it_is_like(self, config):
        for system in config["systems"]:
            assert settings_on(config, "farm", system) == settings_on(config, "esc50", system)

    @pytest.mark.slow
    def test_nothing_is_downloaded_and_all_its_tables_are_planned(self, tmp_path):
        project = Project(tmp_path / "project", PROJECT, {})
        follow(PAGE, "Add a data set", project.folder)
        project.configure(farm(project))
        planned = project.planned()
        assert {"index_dataset", "train_system", "tabulate_fidelity"} <= planned
        assert not {"fetch_dataset", "fetch_weights", "tabulate_ablation"} & planned


class TestALayout:
    @pytest.fixture
    def corpus(self, tmp_path, rng):
        (tmp_path / "audio").mkdir()
        rows = []
        for name, fold, label in [("b", 1, "hen"), ("a", 1, "cow"), ("c", 2, "hen")]:
            soundfile.write(tmp_path / f"audio/{name}.wav", 0.1 * rng.standard_normal(800), 8000)
            rows.append({"file": f"{name}.wav", "fold": fold, "class": label})
        pd.DataFrame(rows).to_csv(tmp_path / "clips.csv", index=False)
        return tmp_path

    def test_it_lists_the_clips(self, corpus):
        index, classes, facts = loaded("Add a layout", "clip_table").index_corpus(corpus)
        assert index["clip"].tolist() == ["a", "b", "c"] and index["fold"].tolist() == [1, 1, 2]
        assert [classes[label] for label in index["label"]] == ["cow", "hen", "hen"]
        assert index["n_samples"].tolist() == [800] * 3
        assert set(facts.values()) == {0}
        assert index["source"].is_unique
        assert index["path"].tolist() == ["audio/a.wav", "audio/b.wav", "audio/c.wav"]

    def test_it_lists_every_problem_at_once(self, corpus):
        (corpus / "audio/c.wav").rename(corpus / "audio/d.wav")
        table = corpus / "clips.csv"
        table.write_text(table.read_text().replace("a.wav,1", "a.wav,0"))
        with pytest.raises(InputError) as caught:
            loaded("Add a layout", "clip_table").index_corpus(corpus, expect={"n_clips": 4})
        for part in (
            "3 clips",
            "a.wav: fold '0'",
            "c.wav has a row in clips.csv and no",
            "audio/d.wav has no",
        ):
            assert part in str(caught.value)

    @pytest.mark.slow
    def test_its_literals_and_the_pins_of_its_download_are_accepted(self, planned):
        assert {"fetch_dataset", "index_dataset"} <= planned


class TestAMetric:
    @pytest.mark.slow
    def test_it_is_that_of_scikit_learn_and_the_tables_print_it(self, followed):
        code = """
import json
import numpy as np
from sklearn.metrics import balanced_accuracy_score
from l2i.metrics import balanced_accuracy
from l2i.reporting.quantities import quantity
from l2i.reporting.scores import classification_scores

rng = np.random.default_rng(0)
truth, decided = rng.integers(0, 2, (2, 40))
counts = rng.integers(0, 3, (3, 40))
theirs = [balanced_accuracy_score(truth, decided, sample_weight=c) for c in counts]
print(json.dumps({
    "gap": np.abs(balanced_accuracy(truth, decided, counts) - theirs).max(),
    "only_positives": balanced_accuracy(np.array([1, 1, np.nan]), np.array([1, 0, 0])),
    "printed": [score.metric for score in classification_scores("f1", ["a", "b"], [])],
    "title": quantity("avg_balanced_accuracy").title,
}))
"""
        found = json.loads(output_of(followed, code))
        assert found["gap"] < 1e-12 and found["only_positives"] == 0.5
        assert found["printed"] == ["avg_weighted_f1", "avg_macro_f1", "avg_balanced_accuracy"]
        assert found["title"] == "average balanced accuracy"


class TestATable:
    def test_it_counts_clips(self, tmp_path):
        indexes = []
        for i, seconds in enumerate([[1.0, 2.0], [0.5]]):
            indexes.append(str(tmp_path / f"{i}.csv"))
            pd.DataFrame({"duration_seconds": seconds}).to_csv(indexes[-1], index=False)
        loaded("Add a table", "tabulate_datasets").tabulate_datasets(
            indexes,
            str(tmp_path / "table.csv"),
            pages_in(tmp_path, "page"),
            datasets=[{"name": "z", "title": "Zebras"}, {"name": "a", "title": "Apes"}],
            page=page_of({}),
        )
        table = pd.read_csv(tmp_path / "table.csv")
        assert table.to_dict("list") == {
            "dataset": ["Zebras", "Apes"],
            "n_clips": [2, 1],
            "seconds": [3.0, 0.5],
        }
        assert "| Zebras | 2 | 3.0 |" in (tmp_path / "page.md").read_text()

    @pytest.mark.slow
    def test_its_rule_is_asked_for(self, planned):
        assert "tabulate_datasets" in planned


class TestAFigure:
    @pytest.mark.slow
    def test_it_is_drawn_and_its_numbers_stand_beside_it(self, followed, tmp_path):
        key = {"dataset": "farm", "fold": "1", "source": list("abcd"), "clip": list("abcd")}
        clips = pd.DataFrame(key)
        clips["probability"], clips["correct"] = [1.0, 0.95, 0.31, np.nan], [1, 1, 0, 0]
        clips.to_csv(tmp_path / "clips.csv", index=False)
        files = {kind: str(tmp_path / f"figure.{kind}") for kind in ("svg", "png", "csv")}
        code = f"""
from draw_confidence import draw_confidence
draw_confidence(
    [{str(tmp_path / "clips.csv")!r}], *{list(files.values())},
    titles={{"farm": "Farm sounds"}}, caption={{"title": "Figure S9: sure", "text": "How sure."}},
)
"""
        output_of(followed, code)
        table = pd.read_csv(files["csv"])
        assert table["decision"].tolist() == ["right", "wrong"]
        assert table["from"].tolist() == [0.9, 0.3] and table["n_clips"].tolist() == [2, 1]
        assert "Farm sounds" in (tmp_path / "figure.svg").read_text()
        assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")

    @pytest.mark.slow
    def test_its_rule_is_asked_for(self, planned):
        assert "draw_confidence" in planned


class TestASetting:
    @pytest.mark.slow
    def test_it_is_read_asked_for_and_changes_the_map(self, followed):
        code = """
import json
import numpy as np
import yaml
from configuration.reading import resolved
from configuration.validation import validate_config
from l2i.evaluation.coherence import project

config = resolved(yaml.safe_load(open("config.yaml")))
validate_config(config)
del config["coherence"]["early_exaggeration"]
try:
    validate_config(config)
except Exception as error:
    refused = str(error)
vectors = np.random.default_rng(0).random((20, 5))
maps = [project(vectors, perplexity=5, seed=0, **given)
        for given in ({}, {"exaggeration": 12.0}, {"exaggeration": 1.0})]
print(json.dumps({
    "refused": refused,
    "same": bool((maps[0] == maps[1]).all()),
    "other": bool((maps[0] != maps[2]).any()),
}))
"""
        found = json.loads(output_of(followed, code))
        assert "early_exaggeration" in found["refused"] and found["same"] and found["other"]
        rule = (followed.folder / "workflow/rules/evaluation.smk").read_text(encoding="utf-8")
        assert '"coherence/early_exaggeration"' in rule


class TestTheReader:
    """The helper that does what a page says."""

    def test_a_part_of_a_diff_that_fits_no_place_or_two_is_refused(self):
        for before in ("b\n", "a\nb\na\n"):
            with pytest.raises(AssertionError, match="has not one place"):
                changed(before, " a\n+c\n", "a file")

    def test_parts_of_a_diff_are_done_one_by_one(self):
        diff = " a\n-b\n+c\n@@\n d\n+e\n"
        assert changed("a\nb\n\nd\n", diff, "a file") == "a\nc\n\nd\ne\n"
