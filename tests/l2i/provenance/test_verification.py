"""l2i.provenance.verification, beyond what tests/workflow/cli/test_tampering.py does to a run."""

from __future__ import annotations

import json
import os

import pytest

from helpers.finished_run import CODE, FOLD, INDEX, MODEL, NAME, PINS, make_run, vouch
from helpers.records import write_acceptance
from l2i.provenance.currency import KnownRecords
from l2i.provenance.findings import Kind
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.hashes import KnownHashes
from l2i.provenance.records import record_path
from l2i.provenance.runs import Run
from l2i.provenance.verification import Verification

TABLE = "tables/table_5.csv"  # alone of its job
# Nothing in a run tells whether these parts of a record are right, nor what it may say of a GPU,
# of SLURM, git and facts: that takes a seal.
UNKNOWABLE = {
    "finished_at",
    "host.cpu",
    "host.memory_bytes",
    "host.n_cores",
    "host.name",
    "host.system",
    "inputs.0.hash",
    "inputs.0.name",
    "output.name",
    "runtime.deterministic",
    "runtime.device",
    "runtime.n_threads",
    "runtime.peak_memory_bytes",
    "seconds",
    "software.python",
}


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path)


def findings(run, **how):
    how.setdefault("apart", [run / "data"])
    return [*Verification(Run(run), **how).findings(lambda n: None)]


def kinds(run, **how):
    return {each.kind for each in findings(run, **how)}


def leaves(part, *keys):
    """Keys of all that a record says, each with what stands there."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in items:
        if isinstance(value, (dict, list)) and value:
            yield from leaves(value, *keys, key)
        else:
            yield (*keys, key), value


def another(value):
    """Something else, of the same form."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case "computed":
            return "known"
        case "file":
            return "folder"
        case str() if len(value) == 64:
            return "0" * 64
        case str() if value.startswith("20"):
            return value.replace("T12:", "T13:") if "T12:" in value else value
        case str():
            return f"{value}x"
    return "x"


def edited(run, keys, value):
    path = record_path(run / TABLE)
    record = part = json.loads(path.read_text())
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(record))


def test_whatever_is_edited_in_a_record_is_found_but_for_what_nothing_else_tells(run):
    path = record_path(run / TABLE)
    before = path.read_text()
    unfound = set()
    for keys, value in leaves(json.loads(before)):
        edited(run, keys, another(value))
        if not findings(run):
            unfound.add(".".join(map(str, keys)))
        path.write_text(before)
    assert unfound - {"log"} == UNKNOWABLE


@pytest.mark.parametrize("value", [[], "", "\ud800", 1e999, {"a": None}])
def test_nonsense_in_a_record_is_a_finding_and_no_error(run, value):
    path = record_path(run / TABLE)
    before = path.read_text()
    for keys, _ in leaves(json.loads(before)):
        edited(run, keys, value)
        for each in findings(run):
            assert each.what.isprintable() and each.path.isprintable()
        path.write_text(before)


def test_a_number_that_json_does_not_know_is_found(run):
    edited(run, ("seconds",), float("inf"))
    assert [each.what for each in findings(run)] == ["holds Infinity, which is no JSON"]


def test_a_record_of_nested_lists_is_a_finding(run):
    record_path(run / TABLE).write_text("[" * 100_000)
    assert Kind.RECORD in kinds(run)


def test_a_record_of_another_run_that_comes_first_does_not_name_the_run(run):
    first = min(record_path(run / INDEX), record_path(run / MODEL))
    record = json.loads(first.read_text())
    record["output"]["path"] = record["output"]["path"].replace(NAME, "results/other")
    first.write_text(json.dumps(record))
    assert Run(run).root.as_posix() == NAME
    assert kinds(run) == {Kind.MISPLACED}


def test_a_copy_under_another_name_is_as_good(run, tmp_path):
    copy = run.rename(tmp_path / "unpacked")
    assert findings(copy, apart=[copy / "data"]) == []


def test_results_of_settings_that_are_no_longer_asked_for_are_no_fault(run):
    (run / "evaluation/esc50/old").mkdir()
    (run / "evaluation/esc50/old/2.csv").write_text("a\n1\n")
    vouch(
        run,
        "evaluation/esc50/old/2.csv",
        [INDEX],
        settings={},
        seeds={},
        fingerprints=prints({}),
        wildcards={"variant": "old"},
    )
    assert findings(run) == []


def prints(settings):
    held = {"code": CODE, "env": PINS, "settings": settings}
    return {name: settings_fingerprint(value) for name, value in held.items()}


@pytest.mark.parametrize(
    "name", [".lock-a", ".log-a-b.log", ".before-a.log", ".remake-a", ".part-a", ".part-scratch/x"]
)
def test_what_jobs_keep_house_by_is_no_foreign_file(run, name):
    path = run / "tables" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert kinds(run) <= {Kind.AT_WORK}


def test_checkpoints_and_time_stamps_are_passed_over(run):
    (run / "systems/.checkpoints-0123").mkdir(parents=True)
    (run / "systems/.checkpoints-0123/last.safetensors").write_text("")
    (run / f"listening/{FOLD}/sounds/.snakemake_timestamp").touch()
    (run / ".run/.part-asked.json").write_text("")
    assert findings(run) == []


def test_acceptances_and_a_seal_have_their_places(run):
    made = KnownRecords().identity_of(run / TABLE)
    write_acceptance(run / TABLE, made, made)
    (run / ".run/seal.json").write_text("{}")
    (run / ".run/seal.json.sig").write_text("sig")
    assert findings(run) == []
    assert len([*Run(run).results()]) == Verification(Run(run)).n_records


def test_a_link_is_never_read(run, tmp_path):
    (tmp_path / "secret").mkdir()
    os.mkfifo(tmp_path / "secret/pipe")  # whoever opens it waits for ever
    (run / TABLE).unlink()
    (run / TABLE).symlink_to(tmp_path / "secret/pipe")
    (run / "tables/more").symlink_to(tmp_path / "secret")
    os.mkfifo(run / "tables/pipe")
    assert [each.path for each in findings(run) if each.kind is Kind.LINK] == [
        "tables/more",
        "tables/pipe",
        TABLE,
    ]


def test_a_record_behind_a_link_is_not_read(run, tmp_path):
    record = record_path(run / TABLE)
    record.rename(tmp_path / "record.json")
    record.symlink_to(tmp_path / "record.json")
    assert kinds(run) == {Kind.LINK, Kind.FOREIGN}


def test_a_folder_that_cannot_be_listed_is_told(run, monkeypatch):
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("tables"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert (Kind.UNREADABLE, "tables") in [each[:2] for each in findings(run)]


def test_a_file_that_cannot_be_read_is_told(run, monkeypatch):
    def fail(path, advance):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("l2i.provenance.reading._file_hash", fail)
    told = [each for each in findings(run) if each.path == TABLE]
    assert [each.kind for each in told] == [Kind.UNREADABLE]
    assert "Input/output error" in told[0].what


def test_known_hashes_are_taken_and_the_rest_is_read(run):
    known = KnownHashes(run.parent / ".hashes")
    known.get(run / TABLE)
    quick = Verification(Run(run), known=known, apart=[run / "data"])
    whole = Verification(Run(run), apart=[run / "data"])
    assert quick.n_known == 1 and whole.n_known == 0
    assert whole.n_bytes - quick.n_bytes == (run / TABLE).stat().st_size
    assert [*quick.findings(lambda n: None)] == []


def test_every_byte_is_told_to_progress(run):
    told = []
    verification = Verification(Run(run), apart=[run / "data"])
    assert [*verification.findings(told.append)] == []
    files = [path for path in run.rglob("*") if path.is_file()]
    other = ("data", "logs", ".run", ".records")
    sizes = [
        path.stat().st_size
        for path in files
        if not {*path.relative_to(run).parts} & {*other} and path.suffix != ".digest"
    ]
    assert sum(told) == verification.n_bytes == sum(sizes)


def test_the_corpus_is_foreign_unless_it_is_set_apart(run):
    assert kinds(run, apart=[]) == {Kind.FOREIGN}


def test_an_edited_record_that_a_job_has_read_is_found_by_what_was_made_of_it(run):
    record = record_path(run / MODEL)
    read = record.relative_to(run).as_posix()
    vouch(run, TABLE, [read])
    assert findings(run) == []
    record.write_text(record.read_text() + "\n")
    stale = [each for each in findings(run) if each.kind is Kind.STALE]
    assert [each.path for each in stale] == [TABLE] and read in stale[0].what


def test_of_a_folder_that_holds_a_link_the_link_is_told_and_nothing_is_read(run, tmp_path):
    (tmp_path / "other.wav").write_text("other bytes")
    sound = run / f"listening/{FOLD}/sounds/input.wav"
    sound.unlink()
    sound.symlink_to(tmp_path / "other.wav")
    told = [(each.kind, each.path) for each in findings(run)]
    assert told == [(Kind.LINK, sound.relative_to(run).as_posix())]
