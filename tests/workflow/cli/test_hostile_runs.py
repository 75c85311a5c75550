"""Runs and crates from elsewhere: they lead no verb out of a run, and into no traceback."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
import typer
from rich.text import Text

from cli.main import main
from cli.opening import Asked, asked_for
from cli.planned import planned
from cli.showing import Outcome, tell
from cli.unpacking import opened
from cli.why import _safe
from helpers.finished_run import NAME, copy_of, make_run
from l2i.checks import InputError
from l2i.provenance import contents
from l2i.provenance.records import acceptance_path, record_path
from l2i.provenance.runs import Run
from l2i.provenance.seal import entries_of


@pytest.fixture
def run(tmp_path):
    return copy_of(make_run(tmp_path / "made"), tmp_path)


def ended(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["audit", *map(str, arguments)])
    return end.value.code, capsys.readouterr()


def put_root(run, root):
    """Have all records call the folder of the run otherwise."""
    for path in run.rglob(".records/*.json"):
        path.write_text(path.read_text().replace(f"{NAME}/", f"{root}/" if root else ""))


@pytest.mark.parametrize("root", ["/tmp/elsewhere/small", "../../tmp/elsewhere/small", ""])
def test_records_that_name_another_place_lead_nobody_there(run, root):
    put_root(run, root)
    with (
        pytest.raises(InputError, match="name the folder of one"),
        planned(Run(run), Asked([], [])),
    ):
        pass
    assert not Path("/tmp/elsewhere").exists()


@pytest.mark.parametrize("put", [os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_record_of_its_own_is_neither_waited_for_nor_followed(run, put):
    record = record_path(run / "tables/table_4.csv")
    record.unlink()
    put(record)
    assert "tables/table_4.csv" not in map(str, Run(run).results())
    assert record not in [entry.path for entry in entries_of(Run(run))]


def test_an_acceptance_that_names_results_of_others_revokes_none_of_theirs(run, tmp_path, capsys):
    theirs = acceptance_path(tmp_path / "other/table.csv")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("theirs")
    path = run / "tables/table_4.csv"
    record = json.loads(record_path(path).read_text())
    side = {
        key: record[key] for key in ("rule", "wildcards", "settings", "fingerprints", "pins")
    } | {"inputs": []}
    said = {"user": "u", "host": "h", "time": "2025-01-01T00:00:00+00:00", "reason": "none"}
    whole = {
        "acceptance_version": 1,
        "path": f"{NAME}/tables/table_4.csv",
        "outputs": [f"{NAME}/tables/table_4.csv", str(tmp_path / "other/table.csv")],
        "record_sha256": "0" * 64,
        "departures": {},
        "accepted": [said | {"before": side, "after": side}],
    }
    acceptance_path(path).write_text(json.dumps(whole))
    code, said = ended(capsys, "accept", path, "--revoke", "--json")
    assert code == 0, said.err
    assert json.loads(said.out)["revoked"] == [f"{NAME}/tables/table_4.csv"]
    assert theirs.exists() and not acceptance_path(path).exists()


@pytest.mark.parametrize(
    "asked", ['{"configfiles": 3}', '{"config": [1]}', '{"configfiles": ["--help"]}']
)
def test_notes_on_how_a_run_was_asked_for_are_no_options(run, asked):
    (run / ".run/asked.json").write_text(asked)
    with pytest.raises(InputError, match=r"asked\.json is damaged.*--configfile"):
        asked_for(Run(run))


def test_a_run_asked_for_with_its_own_configuration_may_be_moved(run):
    asked = {"configfiles": [f"{NAME}/.run/configuration.json"], "config": []}
    (run / ".run/asked.json").write_text(json.dumps(asked))
    moved = run.rename(run.with_name("moved"))
    assert asked_for(Run(moved)).configfiles == [str(moved / ".run/configuration.json")]


@pytest.mark.parametrize("what", ["", "."])
def test_why_of_nothing_is_no_question(run, capsys, what):
    code, said = ended(capsys, "why", what, "--run", run)
    assert code == 4 and "is no result" in said.err


@pytest.mark.parametrize("text", ["a\\[/foo]", "end\\", "[/]", "[link=x]"])
def test_a_text_with_markup_is_shown_as_it_is(text):
    assert Text.from_markup(f"[dim]{_safe(text)}[/] b").plain == f"{text} b"


class Told:
    """A report of what JSON cannot say."""

    outcome = Outcome.FINE

    def facts(self):
        return {"numbers": (float("nan"), [float("inf")]), "name": "\udcff"}


def test_json_is_whole_whatever_it_tells(capsys):
    with pytest.raises(typer.Exit):
        tell(Told(), as_json=True)
    said = capsys.readouterr().out
    assert said.isascii()
    assert json.loads(said) == {"outcome": "fine", "numbers": ["nan", ["inf"]], "name": "\udcff"}


def test_the_name_of_a_run_steers_no_terminal(run, capsys):
    named = run.rename(run.with_name("\x1b[31m[red]"))
    assert "\\x1b[31m[red]: " in ended(capsys, "verify", named)[1].out


def test_a_damaged_member_of_a_crate_is_told(run, tmp_path):
    crate = tmp_path / "x.crate.zip"
    with zipfile.ZipFile(crate, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("results/small/tables/table_4.csv", b"0123456789" * 99)
        at = archive.infolist()[0].header_offset + 30 + len("results/small/tables/table_4.csv")
    content = bytearray(crate.read_bytes())
    content[at] = 0x07  # no kind of block
    crate.write_bytes(content)
    with pytest.raises(InputError, match="fetch it anew"), opened(crate):
        pass


def test_a_file_that_goes_while_it_is_looked_at_is_no_fault(run, monkeypatch):
    of_system = os.lstat

    def lstat(path, **more):
        if Path(path).name == "table_5.csv":
            raise FileNotFoundError(path)
        return of_system(path, **more)

    monkeypatch.setattr(contents.os, "lstat", lstat)
    assert "tables/table_4.csv" in contents.contents_of(run).results


def test_a_page_that_cannot_be_written_is_told(run, tmp_path, capsys):
    code, said = ended(capsys, "why", run / "tables/table_4.csv", "--html", tmp_path)
    assert code == 4 and said.err.startswith(f"error: {tmp_path} cannot be used (")
