"""cli.verify: how it answers; what it finds is in test_tampering.py."""

from __future__ import annotations

import json
import time

import pytest

from cli.main import main
from cli.opening import open_run
from cli.showing import PIPED_WIDTH
from cli.verify import SHOWN, verified
from helpers.finished_run import copy_of, make_run
from helpers.toy_project import make_toy, run_snakemake
from l2i.provenance.findings import Kind
from l2i.provenance.hashes import KnownHashes


@pytest.fixture
def run(tmp_path):
    return copy_of(make_run(tmp_path / "made"), tmp_path)


def answer(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(["audit", "verify", *map(str, arguments)])
    return end.value.code, capsys.readouterr()


def test_a_line_says_how_much_was_held_against_how_many_records(run, capsys):
    code, said = answer(capsys, run)
    first, last = said.out.splitlines()
    assert code == 0 and said.err == ""
    assert first.startswith(f"{run}: 18 files, 13 records; ") and first.endswith("/s)")
    assert last == "All is as the records say"


def test_quick_says_that_it_trusts(run, capsys):
    _, said = answer(capsys, run, "--quick")
    assert "--quick: 16 files and folders were not read" in said.out
    assert json.loads(answer(capsys, run, "--quick", "--json")[1].out)["quick"] is True


def test_findings_stand_by_kind_with_what_to_do_and_those_beyond_some_are_counted(run, capsys):
    for i in range(SHOWN + 5):
        (run / f"tables/stray_{i}.txt").write_text("")
    (run / "tables/table_4.csv").write_text("")
    code, said = answer(capsys, run)
    assert code == 1
    assert "1 x changed since its job made it (tampered)" in said.out
    assert f"{SHOWN + 5} x {Kind.FOREIGN.title} (no record)" in said.out
    assert "and 5 more" in said.out and said.out.count("tables/stray_") == SHOWN
    assert said.out.count("To do: ") == 2
    assert said.out.endswith(f"Not as the records say: 1 tampered, {SHOWN + 5} no record\n")
    assert max(map(len, said.out.splitlines())) <= PIPED_WIDTH
    found = json.loads(answer(capsys, run, "--json")[1].out)["findings"]
    assert len(found) == SHOWN + 6


def test_names_from_outside_can_neither_colour_nor_steer(run, capsys):
    (run / "tables/[red]\x1b[2J").write_text("")
    assert "tables/[red]\\x1b[2J" in answer(capsys, run)[1].out


def test_the_only_run_need_not_be_named(run, monkeypatch, capsys):
    monkeypatch.chdir(run.parents[1])
    assert answer(capsys)[0] == 0


@pytest.mark.parametrize("argument", ["no", "--no"])
def test_what_cannot_be_understood_ends_with_4(run, monkeypatch, capsys, argument):
    monkeypatch.chdir(run.parents[1])
    assert answer(capsys, argument)[0] == 4


@pytest.mark.parametrize(
    "asked", ["{", "[]", "{}", '{"configfiles": [1]}', '{"config": [1]}', '{"configfiles": ["no"]}']
)
def test_where_the_configuration_is_not_to_be_had_corpora_are_said_to_be_away(run, asked):
    (run / ".run/asked.json").write_text(asked)
    kinds = {found.kind for found in verified(open_run(run)).findings}
    # The corpus of this run lies in its folder, of which only the configuration tells.
    assert Kind.AWAY in kinds and kinds <= {Kind.AWAY, Kind.FOREIGN, Kind.NOTE}


@pytest.mark.slow
def test_of_results_that_real_jobs_have_made_nothing_is_found(tmp_path, capsys):
    make_toy(tmp_path)
    done = run_snakemake(tmp_path)
    assert done.returncode == 0, done.stderr
    result = verified(open_run(tmp_path / "results/toy"))
    assert result.findings == [] and result.n_records == 4
    time.sleep(2.2)  # until a hash may be remembered, see l2i.provenance.hashes
    hashes = KnownHashes(tmp_path / "results/.hashes")
    for name in ("counted/a.txt", "scaled/a/fold1.txt"):
        hashes.get(tmp_path / "results/toy" / name)
    quick = verified(open_run(tmp_path / "results/toy"), is_quick=True)
    assert quick.findings == [] and 0 < quick.n_known < 4
