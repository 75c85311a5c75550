"""The atlas of a dictionary, as the script writes it: of a network whose answers are known."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import parse_qs

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

from helpers.known_networks import CLASSES, FRONT_END, RATE, known_pair, tones
from helpers.project import load_module
from l2i.datasets.fold import Fold
from l2i.features.cache import compute_features
from l2i.hashing import file_sha256
from l2i.interpretation.explained import ExplainedClassifier
from l2i.training.task import Recordings
from l2i.weights import save_weights

SECONDS = 1.6
N_TEST = 4


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the script on one training clip and N_TEST others; gives facts, summary and data."""
    folder = tmp_path / "data/esc50"
    folder.mkdir(parents=True)
    rows, features = [], []
    for i in range(1 + N_TEST):
        x = 0.4 * tones(round(SECONDS * RATE), **({} if i % 2 else {"low": 0.0}))
        soundfile.write(folder / f"clip{i}.wav", x.numpy(), RATE, subtype="FLOAT")
        row = {"clip": f"clip{i}", "path": f"clip{i}.wav", "fold": 2 if i == 0 else 1, "label": 0}
        rows.append(row | {"sha256": file_sha256(folder / f"clip{i}.wav")})
        features.append(compute_features(FRONT_END, (x / x.abs().max())[None]))
    log_magnitude, log_mel = (torch.cat(each).numpy() for each in zip(*features, strict=True))
    (tmp_path / "clips.json").write_text(json.dumps([{"clip": "clip3"}]))

    def run(n_heard=400, owners=None):
        script = load_module("compose_atlas")
        monkeypatch.setattr(script, "N_HEARD", n_heard)
        fold = Fold("esc50", "1", pd.DataFrame(rows), CLASSES, FRONT_END, "absolute")
        pair = known_pair(False)
        path = tmp_path / "dictionary.safetensors"
        save_weights(path, {"W": pair.interpreter.W}, kind="dictionary", component_classes=owners)
        recordings = Recordings(
            fold, log_mel, log_magnitude, str(tmp_path / "data"), SECONDS, "cpu", pair.classifier
        )
        network = SimpleNamespace(
            explained=lambda classifier, **how: ExplainedClassifier(
                classifier, pair.interpreter, **how
            )
        )
        pages = tmp_path / f"pages-{len([*tmp_path.glob('pages-*')])}"
        facts = script.compose_atlas(
            recordings=recordings,
            network=network,
            path_to_dictionary=[str(path)],
            path_to_clips=str(tmp_path / "clips.json"),
            path_to_pages=str(pages),
            path_to_summary=str(tmp_path / "summary.json"),
            threshold=0.1,
            relevance_pooling="model",
            relevance_scale="absolute",
            seed=0,
            titles={"esc50": "ESC-50", "l2i_att": "L2I"},
            system="l2i_att",
            run="0",
        )
        text = (pages / "data.js").read_text()
        data = json.loads(text.removeprefix("window.atlas = ").rstrip(";\n"))
        return facts, json.loads((tmp_path / "summary.json").read_text()), data, pages

    return run


def test_it_tells_of_test_clips_alone_what_the_network_makes_of_them(run):
    facts, summary, data, _ = run()
    assert facts["n_clips"] == N_TEST and facts["n_components"] == len(data["components"])
    clips = {name for each in data["components"] for name, *_ in each["clips"]}
    assert clips and clips <= {f"clip{i}" for i in range(1, 1 + N_TEST)}
    low = data["components"][0]  # which the known network finds where the low tone is
    assert {name for name, *_ in low["clips"][:2]} == {"clip1", "clip3"}
    assert [data["classes"][c] for c, *_ in low["uses"]] == ["low"]
    assert low["selected"] == 2 and sum(data["n_decisions"]) == N_TEST
    held = np.sum([each["energy"] for each in data["components"]])
    assert 0 < held <= 1 + 1e-3
    dead = [each["number"] for each in data["components"] if each["dead"]]
    unused = sum(not each["selected"] and not each["dead"] for each in data["components"])
    assert summary == {
        **{"dataset": "ESC-50", "fold": "1", "system": "L2I"},
        **{"n_components": len(data["components"]), "n_groups": len(data["groups"])},
        **{"n_unused": unused, "dead": dead},
    }


def test_the_typical_clip_is_heard_and_only_chosen_clips_are_linked(run):
    low = run()[2]["components"][0]
    assert low["excerpt"]["clip"] in {"clip1", "clip3"}
    links = {name: link for name, _, link in low["clips"]}
    page, _, found = links["clip3"].partition("#")
    assert page == "../../../../../../listen/index.html" and links["clip1"] is None
    where = {"dataset": ["ESC-50"], "fold": ["1"], "kind": ["clean"]}
    assert parse_qs(found) == {"words": ["clip3"], **where}


def test_classes_that_columns_were_learned_from_are_told(run):
    owners = [CLASSES[0], CLASSES[1], CLASSES[0], CLASSES[1]]
    assert [each["learned_from"] for each in run(owners=owners)[2]["components"]] == owners


def test_of_many_clips_the_same_few_are_drawn(run):
    first, again = run(n_heard=2), run(n_heard=2)
    assert first[0]["n_clips"] == 2 and first[2] == again[2]
    files = sorted(path.relative_to(first[3]) for path in first[3].rglob("*") if path.is_file())
    assert files and all((first[3] / f).read_bytes() == (again[3] / f).read_bytes() for f in files)


def test_its_addresses_lead_to_where_the_rules_write(project):
    script = load_module("compose_atlas")
    run, atlas = "results/paper", "atlas/esc50/fold1/l2i_att/default/run0"
    rules = (project / "workflow/rules/atlas.smk").read_text()
    pattern = "{{dataset}}/fold{{fold}}/{{system}}/{{variant}}/run{{run}}"
    assert f'ATLAS = f"{{ATLASES}}/{pattern}"' in rules and '/index.html"' in rules
    for address, place in ((script.HOME, "atlas"), (script.LISTEN, "listen")):
        found = (project / run / atlas / address).resolve().relative_to(project)
        assert found.as_posix() == f"{run}/{place}/index.html"
