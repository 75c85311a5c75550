"""`l2i export`: a model of a run in one file, and what its card says of scores."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cli.main import main
from configuration.job_settings import printed_in
from helpers.own_sounds import SMALL, make_run, write_noise
from helpers.project import load_script
from helpers.records import write_record
from helpers.tables import classified, fidelity_ranks, of_datasets, page_of, pages_in
from l2i.hashing import file_sha256
from l2i.models import load
from l2i.provenance.records import record_path
from l2i.tables import read_rows, write_rows
from l2i.weights import read_identity

RUN = Path("results/small")
HOW = {"statistics": {"n_bootstrap": 50, "n_permutations": 20, "confidence": 0.9}, "seed": 0}
FOLDS, SYSTEMS = ("1", "2"), ("l2i_att", "l2i_max")
PLACE = "{system}/default/run0"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of two folds and systems, whose classifier and interpreters were scored."""
    monkeypatch.chdir(tmp_path)
    make_run(RUN, FOLDS, SYSTEMS)
    rng = np.random.default_rng(0)
    clips = [f"{fold}-{i:02d}" for fold in (1, 2) for i in range(12)]
    index = {"clip": clips, "path": "a.wav", "fold": np.repeat([1, 2], 12), "label": 0}
    index |= {"sha256": [f"{i:064x}" for i in range(24)], "source": clips}
    write_rows(pd.DataFrame(index), made("datasets/esc50/index.csv"))
    np.save(made("features/esc50/log_mel.npy"), noise_of_clips(rng))
    of_classifier, of_systems = [], []
    for fold in (1, 2):
        of_classifier.append(made(f"evaluation/esc50/fold{fold}/classification.csv"))
        write_rows(classified(rng.integers(0, 2, 12), None, fold), of_classifier[-1])
        for system in SYSTEMS:
            place = f"esc50/fold{fold}/{PLACE.format(system=system)}"
            of_systems.append(made(f"evaluation/{place}/fidelity.csv"))
            write_rows(fidelity_ranks(rng.integers(1, 3, 12), system, fold), of_systems[-1])
            write_record(RUN / f"systems/{place}/model.safetensors", {})
    tabulated("table_1", "tabulate_classification", of_classifier, paper=printed_in(1))
    asked = {"systems": [*SYSTEMS], "top_k": [1], "paper": printed_in(4)}
    tabulated("table_4", "tabulate_fidelity", of_systems, **asked)
    return RUN


def made(name):
    path = RUN / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def noise_of_clips(rng):
    return rng.normal(-40, 10, (24, SMALL.n_frames(12_800), 128)).astype(np.float32)


def tabulated(name, rule, scores, **settings):
    """Make a table, with the record that its job would have left."""
    settings |= {"datasets": of_datasets("esc50"), "page": page_of(), **HOW}
    path = made(f"tables/{name}.csv")
    where = {"path_to_table": str(path), "path_to_pages": pages_in(path.parent, path.stem)}
    load_script(rule)(path_to_clips=[*map(str, scores)], **where, **settings)
    write_record(path, settings, [("clips", each) for each in scores])
    record = json.loads(record_path(path).read_text())
    record |= {"rule": rule, "wildcards": {}}
    for used in record["inputs"]:
        used["sha256"] = file_sha256(used["path"])
    record_path(path).write_text(json.dumps(record))


def export(*options):
    with pytest.raises(SystemExit) as end:
        main(["export", str(RUN), "--output", "dog.safetensors", *options])
    return end.value.code


ONE = ("--fold", "2", "--system", "l2i_max")


def test_one_model_of_several_is_written_with_its_card(run, capsys):
    assert export(*ONE) == 0
    model, then = load("dog.safetensors"), load(run, fold=2, system="l2i_max")
    x = write_noise(Path("a.wav"))
    assert np.array_equal(model.explain(x).class_relevances, then.explain(x).class_relevances)
    assert model.card["fold"] == "2" and model.card["clips"]["test"] == 12
    assert "dog.safetensors" in capsys.readouterr().out
    assert Path("MODEL_CARD.md").read_text().startswith("# l2i_max on ESC-50, fold 2")


def test_scores_are_those_of_its_fold_and_system_alone(run):
    export(*ONE)
    said = {each["metric"]: each for each in load("dog.safetensors").card["measured"]}
    of_fold = run / "evaluation/esc50/fold2"
    correct = read_rows(of_fold / "classification.csv")["correct"]
    rank = read_rows(of_fold / PLACE.format(system="l2i_max") / "fidelity.csv")["rank"]
    assert said["accuracy"]["mean"] == pytest.approx(100 * correct.mean(), abs=1e-4)
    assert said["top_1_fidelity"]["mean"] == pytest.approx(100 * (rank == 1).mean(), abs=1e-4)
    for number in said.values():
        assert number["low"] < number["mean"] < number["high"]


def test_a_score_that_was_changed_since_the_table_was_made_is_refused(run, capsys):
    scores = run / "evaluation/esc50/fold2/classification.csv"
    write_rows(read_rows(scores).assign(correct=1), scores)
    assert export(*ONE) == 4
    assert "classification.csv is not what results/small/tables/table_1.csv was made of" in (
        " ".join(capsys.readouterr().err.split())
    )
    assert not Path("dog.safetensors").exists() and not Path("MODEL_CARD.md").exists()


def test_in_half_precision_the_card_says_what_that_changes(run):
    assert export(*ONE, "--half") == 0
    card = load("dog.safetensors").card["stored_as"]
    assert card["precision"] == "float16" and card["n_clips"] == card["n_same_class"] == 12
    assert 0 < card["largest_change_of_probability"] < 0.05
    state = read_identity("dog.safetensors")
    assert state["card"]["stored_as"] == card


def test_what_people_say_of_it_is_printed(run):
    Path("about.yaml").write_text("Use: To listen.\nData: [one, two]\n")
    assert export(*ONE, "--about", "about.yaml") == 0
    assert "## Use\n\nTo listen.\n\n## Data\n\n- one\n- two\n" in Path("MODEL_CARD.md").read_text()


@pytest.mark.parametrize("text", ["[", "just a text", "Use: {a: b}", "1: one", None])
def test_a_file_about_it_that_says_something_else(run, capsys, text):
    if text is not None:
        Path("about.yaml").write_text(text)
    assert export(*ONE, "--about", "about.yaml") == 4
    assert "about.yaml" in capsys.readouterr().err
    assert not Path("dog.safetensors").exists()


def test_which_model_is_meant_must_be_said(run, capsys):
    assert export("--fold", "2") == 4
    assert "system l2i_att, l2i_max" in capsys.readouterr().err


def test_without_features_it_cannot_be_told_what_rounding_changes(run, capsys):
    (run / "features/esc50/log_mel.npy").unlink()
    assert export(*ONE, "--half") == 4
    assert "log_mel.npy" in capsys.readouterr().err
    assert not Path("dog.safetensors").exists()
