"""l2i audit why: from a number of a table to the clips, recomputed on the way."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from cli import why
from cli.main import main
from helpers.records import write_acceptance, write_record
from helpers.scored_run import scored_run
from l2i.features.audio import Span
from l2i.hashing import file_sha256
from l2i.provenance.currency import KnownRecords
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.records import record_path
from l2i.tables import read_rows, write_rows

CELL = "table_4.csv:l2i_att,esc50,top_1"
PRINTED = "Table IV, L2I w/ ATT, ESC-50, top-1"
SCORES = "esc50-1-l2i_att-default-0/fidelity.csv"


def write_run(folder):
    """A small run with whole records: scores made of networks, networks of an index."""
    made = scored_run(folder)
    root = folder / "results"
    clips = sorted(
        {clip for path in root.glob("esc50-*/fidelity.csv") for clip in read_rows(path)["clip"]}
    )
    index = root / "datasets/esc50/index.csv"
    index.parent.mkdir(parents=True)
    rows = {"clip": clips, "path": [f"audio/{clip}.wav" for clip in clips], "fold": 1}
    write_rows(pd.DataFrame(rows | {"sha256": "c" * 64}), index)
    put_record(root, index, rule="index_dataset", settings={"corpus": {"layout": "esc50"}})
    for recorded, known in made.records.items():
        path = folder / recorded
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text("a network")
            put_record(root, path, rule="train_system", inputs=[("index", index)], **of(known))
    for recorded, known in made.records.items():
        path = folder / recorded
        if path.suffix == ".csv" and path.parent.name != "tables":
            put_record(root, path, rule="measure_fidelity", inputs=[("index", index)], **of(known))
    for name, recorded in made.tables.items():
        known = made.record(name)
        inputs = [(used["name"], folder / used["path"]) for used in known["inputs"]]
        known = {key: known[key] for key in ("rule", "wildcards", "settings")}
        put_record(root, folder / recorded, inputs=inputs, **known)
    (root / ".run").mkdir()
    return root


def of(known):
    return {key: known[key] for key in ("settings", "wildcards") if key in known}


def put_record(root, path, *, rule, inputs=(), settings=None, wildcards=None):
    write_record(path, settings or {"n_epochs": 3}, [(name, str(used)) for name, used in inputs])
    place = record_path(path)
    record = json.loads(place.read_text())
    record |= {"rule": rule, "wildcards": wildcards or {"dataset": "esc50"}}
    record["output"]["path"] = named(root, path)
    for used, (_, source) in zip(record["inputs"], inputs, strict=True):
        used |= {"path": named(root, source), "sha256": file_sha256(source)}
    place.write_text(json.dumps(record))


def named(root, path):
    return f"results/{path.relative_to(root).as_posix()}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(finished, tmp_path):
    """A copy to change, in a folder of another name."""
    return shutil.copytree(finished, tmp_path / "copy")


class Told:
    """What the command said, and how it ended."""

    def __init__(self, capsys, *arguments):
        with pytest.raises(SystemExit) as end:
            main(["audit", "why", *map(str, arguments)])
        said = capsys.readouterr()
        self.code, self.out, self.err = end.value.code, said.out, said.err

    @property
    def facts(self):
        return json.loads(self.out)


class TestWhatIsFine:
    @pytest.mark.parametrize("what", [CELL, PRINTED, f"{CELL},low"])
    def test_a_number_leads_to_its_scores_alone(self, finished, capsys, what):
        told = Told(capsys, what, "--run", finished, "--json")
        assert told.code == 0 and told.facts["outcome"] == "fine"
        facts = told.facts
        assert facts["cell"]["system"] == "l2i_att" and facts["cell"]["metric"] == "top_1_fidelity"
        assert {path.split("/")[1] for path in facts["scores"]} == {
            f"esc50-{fold}-l2i_att-default-{run}" for fold, run in ((1, 0), (2, 0), (2, 1))
        }
        paths = {each["path"] for each in facts["results"]}
        assert "results/datasets/esc50/index.csv" in paths
        assert not [path for path in paths if "vibi" in path or "sonyc" in path]

    def test_the_number_is_recomputed_from_its_scores(self, finished, capsys):
        facts = Told(capsys, CELL, "--run", finished, "--json").facts
        rows = pd.concat([read_rows(finished.parent / path) for path in facts["scores"]])
        hits = rows["rank"] <= 1
        by_hand = 100 * hits.groupby([rows["fold"], rows["run"]]).mean().groupby("fold").mean()
        assert facts["recomputed"]["agrees"]
        assert facts["recomputed"]["columns"]["mean"]["recomputed"] == pytest.approx(
            by_hand.mean(), abs=1e-3
        )
        assert {"low", "high"} <= set(facts["recomputed"]["not_compared"])
        full = Told(capsys, CELL, "--run", finished, "--json", "--full").facts
        assert not full["recomputed"]["not_compared"] and full["recomputed"]["agrees"]

    def test_the_clips_of_the_scores_are_named_by_hash(self, finished, capsys):
        facts = Told(capsys, CELL, "--run", finished, "--json").facts
        assert facts["clips"] and {clip["sha256"] for clip in facts["clips"]} == {"c" * 64}
        assert "local folder" in facts["sources"]["esc50"]

    def test_of_a_piece_it_is_told_where_it_lies(self):
        whole = why.Clip("farm", "a", "cow/a.wav", "1", "c" * 64, None)
        piece = whole._replace(name="a_002", span=Span(80, 40))
        assert whole.place == "cow/a.wav"
        assert piece.place == "cow/a.wav, 40 samples from 80"

    def test_the_code_of_each_result_is_told_part_by_part(self, run, capsys):
        parts = {"scripts/tabulate_fidelity.py": {"tabulate_fidelity": "a" * 32}}
        fingerprint = settings_fingerprint(parts)
        place = record_path(run / "tables/table_4.csv")
        record = json.loads(place.read_text())
        record["fingerprints"]["code"] = fingerprint
        place.write_text(json.dumps(record))
        (run / ".run/code").mkdir()
        (run / f".run/code/{fingerprint}.json").write_text(json.dumps(parts))
        told = Told(capsys, CELL, "--run", run, "--json").facts["code"]
        assert told == {fingerprint: parts, "0" * 64: None}
        assert f"{fingerprint[:8]}: 1 files, 1 parts" in Told(capsys, CELL, "--run", run).out

    def test_no_large_file_is_read(self, finished, capsys, monkeypatch):
        read = []
        monkeypatch.setattr(why, "SMALL", 100)
        monkeypatch.setattr(why, "file_sha256", lambda path: read.append(path) or "no")
        assert Told(capsys, finished / "tables/cost.csv", "--json").code == 1
        assert read and all(path.stat().st_size <= 100 for path in read)

    def test_the_tree_is_plain_text_in_a_pipe(self, finished, capsys):
        told = Told(capsys, CELL, "--run", finished)
        assert told.code == 0 and "\x1b" not in told.out
        for said in ("the scores give the same mean", "n_epochs 3", "all hold", "of fold 1): "):
            assert said in told.out

    def test_a_path_is_enough_from_any_folder(self, finished, capsys, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        for path in (
            finished / "tables/table_4.csv",
            record_path(finished / "tables/table_4.csv"),
            os.path.relpath(finished / SCORES),
            f"{finished}/tables/{CELL}",
        ):
            assert Told(capsys, path).code == 0

    def test_the_page_has_all_of_it_and_needs_no_other(self, finished, capsys, tmp_path):
        assert Told(capsys, CELL, "--run", finished, "--html", tmp_path / "a.html").code == 0
        page = (tmp_path / "a.html").read_text()
        assert SCORES in page and "c" * 64 in page and "the scores give the same" in page
        assert not re.findall(r"(?:src|href)=\W?https?:", page)


class TestWhatIsNot:
    def test_a_changed_score_is_found_twice(self, run, capsys):
        rows = read_rows(run / SCORES)
        rows["interpreter_class"] = (rows["classifier_class"] + 1) % 3
        rows["rank"] = 3
        write_rows(rows, run / SCORES)
        told = Told(capsys, CELL, "--run", run, "--json")
        assert told.code == 1
        assert any(f"{SCORES} is not what its record says" in f for f in told.facts["findings"])
        assert any("not what its scores give: mean is" in f for f in told.facts["findings"])

    def test_a_number_that_was_typed_in_is_found(self, run, capsys):
        table = run / "tables/table_4.csv"
        rows = read_rows(table)
        mine = (rows["system"] == "l2i_att") & (rows["metric"] == "top_1_fidelity")
        rows.loc[mine & (rows["dataset"] == "esc50"), "mean"] += 0.01
        write_rows(rows, table)
        told = Told(capsys, CELL, "--run", run)
        assert told.code == 1 and "not what its scores give: mean is" in told.out

    def test_an_input_that_was_made_anew_makes_it_stale(self, run, capsys):
        path = run / "datasets/esc50/index.csv"
        write_rows(read_rows(path).assign(fold=2), path)
        put_record(run, path, rule="index_dataset")
        told = Told(capsys, CELL, "--run", run)
        assert told.code == 2 and "which was made anew since" in told.out

    def test_what_has_no_record_is_told(self, run, capsys):
        record_path(run / "datasets/esc50/index.csv").unlink()
        told = Told(capsys, CELL, "--run", run, "--json")
        assert told.code == 3 and told.facts["outcome"] == "no_record"
        assert any("of which nothing is recorded" in f for f in told.facts["findings"])

    def test_a_result_without_a_record_ends_with_3(self, run, capsys):
        record_path(run / "tables/table_4.csv").unlink()
        told = Told(capsys, run / "tables/table_4.csv")
        assert told.code == 3 and "has no record that can be read" in told.err

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("table_4.csv:l2i_att,esc50,top_7", "top_7"),
            ("table_9.csv:l2i_att", "is no table of this run"),
            ("figures/nothing.svg", "is no table of this run"),
        ],
    )
    def test_what_is_not_there_ends_with_4(self, run, capsys, what, said):
        told = Told(capsys, what, "--run", run)
        assert told.code == 4 and told.err.startswith("error: ") and said in told.err


class TestWhatIsAccepted:
    def test_who_accepted_it_and_why_is_told_and_the_link_is_fine(self, run, capsys):
        index, model = run / "datasets/esc50/index.csv", run / SCORES
        write_rows(read_rows(index).assign(fold=2), index)
        put_record(run, index, rule="index_dataset")
        known = KnownRecords()
        for name in {str(path.parent) for path in run.glob("esc50-*/*.csv")}:
            for path in Path(name).glob("*.csv"):
                now = known.identity_of(path)
                inputs = [(n, used, known.sha256_of(index)) for n, used, _ in now.inputs]
                write_acceptance(path, now, now._replace(inputs=inputs))
        told = Told(capsys, CELL, "--run", run, "--json")
        assert told.code == 0, told.facts["findings"]
        states = {each["path"]: each["state"] for each in told.facts["results"]}
        assert states[named(run, model)] == "accepted"
        shown = Told(capsys, CELL, "--run", run).out
        assert "by somebody on here" in shown and "only the folds were renamed" in shown
