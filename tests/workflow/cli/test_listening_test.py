"""`l2i listening-test`: what it says of answers, and that made-up ones stay marked."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from cli.main import main
from helpers.rated_tests import answers_to, save_by_participant, small_pack, small_test
from helpers.records import vouch_for


@pytest.fixture
def asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return small_test(tmp_path / "pack")


@pytest.fixture
def l2i(capsys):
    def l2i(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["listening-test", *map(str, arguments)])
        return end.value.code, *capsys.readouterr()

    return l2i


class TestCheck:
    def test_who_has_answered_who_has_not_and_who_did_not_finish(self, asked, l2i):
        answers = answers_to(asked)
        left = ~((answers["participant"] == 2) & (answers["position"] > 1))
        save_by_participant(
            answers[left & (answers["participant"] < 6)], Path("answers"), asked.test
        )
        code, out, _ = l2i("check", "answers", "--test", "pack")
        assert code == 0 and "5 participants, 4 of them complete" in out
        assert "not finished" in out and "No answers of 6" in out and "SIMULATED" not in out
        code, out, _ = l2i("check", "answers", "--test", "pack", "--json")
        facts = json.loads(out)
        assert facts["missing"] == [6] and facts["test"] == asked.test
        assert [each["n_rated"] for each in facts["participants"]] == [4, 1, 4, 4, 4]

    def test_files_may_be_named_one_by_one(self, asked, l2i):
        paths = save_by_participant(answers_to(asked), Path("answers"), asked.test)
        code, out, _ = l2i("check", *paths[:2], "--test", "pack")
        assert code == 0 and "2 participants, 2 of them complete" in out

    def test_what_does_not_belong_ends_with_messages(self, asked, l2i):
        answers = answers_to(asked)
        rows = answers.assign(rating=answers["rating"].where(answers.index != 3, 300))
        save_by_participant(rows, Path("answers"), asked.test)
        code, out, err = l2i("check", "answers", "--test", "pack")
        assert code == 4 and not out
        assert "_1.csv line 5: the rating '300' is no whole number from 0 to 100" in err

    @pytest.mark.parametrize(
        ("named", "told"), [("nowhere", "no such file"), ("pack/empty", "holds no csv file")]
    )
    def test_no_answers_to_check(self, asked, l2i, tmp_path, named, told):
        (tmp_path / "pack/empty").mkdir()
        code, _, err = l2i("check", named, "--test", "pack")
        assert code == 4 and told in err

    def test_no_test(self, asked, l2i):
        assert "is no pack of a listening test" in l2i("check", "pack", "--test", ".")[2]


class TestSimulate:
    def test_it_is_marked_in_its_name_in_every_row_and_wherever_it_is_checked(self, asked, l2i):
        code, out, _ = l2i("simulate", "--test", "pack", "--output", "made", "--participants", 3)
        path = f"made/SIMULATED_ratings_{asked.test}.csv"
        assert code == 0 and path in out and "SIMULATED ANSWERS" in out
        rows = pd.read_csv(path)
        assert rows["simulated"].all() and rows["participant"].nunique() == 3
        code, out, _ = l2i("check", "made", "--test", "pack")
        assert code == 0 and out.startswith("SIMULATED ANSWERS")

    def test_a_seed_gives_the_same_answers_and_another_others(self, asked, l2i):
        for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
            l2i("simulate", "--test", "pack", "--output", folder, "--seed", seed)
        a, b, c = (
            pd.read_csv(f"{f}/SIMULATED_ratings_{asked.test}.csv")["rating"].tolist() for f in "abc"
        )
        assert a == b != c

    def test_a_system_that_is_not_compared(self, asked, l2i):
        code, _, err = l2i("simulate", "--test", "pack", "--output", "x", "--better", "flint")
        assert code == 4 and "the test compares l2i_att and slime" in err


class TestStatus:
    def test_packs_and_answers_of_a_run(self, asked, l2i):
        run = Path("results/paper")
        vouch_for(small_pack(run / "listening_test/sonyc_ust"))
        imported = run / "ratings/sonyc_ust/participants.csv"
        code, out, _ = l2i("status", run)
        assert code == 0 and "nobody yet" in out and "listening_test/sonyc_ust/index.html" in out
        imported.parent.mkdir(parents=True)
        imported.write_text("participant,simulated\n1,True\n2,True\n")
        assert "2 people, SIMULATED" in l2i("status", run)[1]
        (test,) = json.loads(l2i("status", run, "--json")[1])["tests"]
        assert (test["n_stimuli"], test["n_participants"], test["n_imported"]) == (8, 6, 2)

    def test_a_run_without_a_test(self, asked, l2i):
        Path("results/paper/tables").mkdir(parents=True)
        vouch_for(Path("results/paper/tables"))
        assert "has no listening test" in l2i("status", "results/paper")[1]
