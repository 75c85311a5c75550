"""l2i audit seal: what it prints, leaves and ends with."""

from __future__ import annotations

import json
import subprocess

import pytest

from cli.main import main
from helpers.chains_of_records import make_run
from l2i.provenance.runs import Run
from l2i.provenance.seal import check_seal, entries_of, read_leaves


@pytest.fixture
def ended(capsys):
    """A function: exit code and output of the command."""

    def end(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["audit", "seal", *map(str, arguments)])
        return ended.value.code, capsys.readouterr()

    return end


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "toy", configuration={"seed": 0})


def checked(run, root):
    return check_seal(Run(run), read_leaves(entries_of(Run(run))), root).findings


def test_the_root_is_printed_in_full_and_in_short_and_left_in_the_run(run, ended):
    code, said = ended(run)
    root, short, *_ = said.out.splitlines()
    assert code == 0 and short == f"short: {root[:16]} (64 bits)"
    noted = json.loads((run / ".run/seal.json").read_text())
    assert noted["root"] == root and noted["n_leaves"] == len(noted["leaves"])
    assert noted["sealed_at"] and "git" in noted
    assert not checked(run, root) and not checked(run, root[:16])
    assert "unfinished" not in said.out


def test_programs_get_the_same(run, ended):
    code, said = ended(run, "--json")
    facts = json.loads(said.out)
    assert code == 0 and facts["short"] == facts["root"][:16] and not facts["unfinished"]
    assert not checked(run, facts["root"]) and facts["signed"] is False


def test_a_run_that_is_not_what_its_records_say_is_not_sealed(run, ended):
    (run / "tables/table_4.csv").write_text("better")
    code, said = ended(run)
    assert code == 1 and "tables/table_4.csv: its record says sha256" in said.out
    assert not (run / ".run/seal.json").exists()
    code, said = ended(run, "--json")
    assert code == 1 and json.loads(said.out)["root"] is None


def test_a_run_that_is_not_finished_is_sealed_and_called_so(run, ended):
    (run / "tables/table_4.csv").unlink()
    (run / "tables/.records/table_4.csv.json").unlink()
    code, said = ended(run)
    assert code == 0 and "looks unfinished" in said.out and "there is no table" in said.out


def test_what_was_removed_to_make_room_is_told(run, ended):
    (network,) = run.glob("dictionary/**/dictionary.safetensors")
    network.unlink()
    code, said = ended(run)
    assert code == 0 and "counted by their records:\n  dictionary/esc50" in said.out


def test_it_is_signed_by_a_key(run, ended, tmp_path):
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")]
    subprocess.run(make, check=True)
    code, said = ended(run, "--sign", tmp_path / "key")
    assert code == 0 and "signed: .run/seal.json.sig" in said.out
    assert (run / ".run/seal.json.sig").read_text().startswith("-----BEGIN SSH SIGNATURE-----")


def test_a_key_that_does_not_work_leaves_nothing(run, ended, tmp_path):
    code, said = ended(run, "--sign", tmp_path / "none")
    assert code == 4 and "none is no file" in said.err
    assert not (run / ".run/seal.json").exists()
