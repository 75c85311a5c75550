"""Answers that are as they were given are imported; whatever is not is named, with its remedy."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.rated_tests import answers_to, as_webmushra, save_by_participant, small_test
from l2i.checks import InputError
from l2i.listening_test.ratings import import_files, import_folder, read_asked


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    return small_test(tmp_path_factory.mktemp("pack"))


@pytest.fixture(scope="module")
def answers(asked):
    return answers_to(asked)


@pytest.fixture
def save(tmp_path, asked):
    """Write answers as files; their folder."""

    def save(rows, name=None, **options):
        folder = tmp_path / "answers"
        if name is None:
            save_by_participant(rows, folder, asked.test)
        else:
            folder.mkdir(exist_ok=True)
            rows.to_csv(folder / name, index=False, **options)
        return folder

    return save


def refused(folder, asked):
    with pytest.raises(InputError) as caught:
        import_folder(folder, asked)
    return str(caught.value)


class TestAsked:
    def test_it_is_what_the_pack_says(self, asked, tmp_path):
        assert asked.n_trials == dict.fromkeys(range(1, 7), 4)
        assert {systems for _, systems in asked.plan.values()} <= {
            ("slime", "l2i_att"),
            ("l2i_att", "slime"),
        }
        assert re.fullmatch("[0-9a-f]{12}", asked.test)

    def test_a_folder_without_a_pack_is_refused(self, tmp_path):
        with pytest.raises(InputError, match="no pack of a listening test, it lacks stimuli.csv"):
            read_asked(tmp_path)

    def test_systems_that_it_does_not_compare_are_refused(self, tmp_path):
        with pytest.raises(InputError, match="a listening test two systems"):
            read_asked(_pack(tmp_path), ["slime", "other"])


def _pack(folder):
    small_test(folder)
    return folder


class TestForms:
    def test_ratings_of_our_page_come_back_as_they_were_given(self, asked, answers, save):
        found = import_folder(save(answers), asked)
        columns = ["participant", "stimulus", "class", "system", "label", "rating"]
        by = ["participant", "stimulus", "label"]
        there = found.ratings[columns].sort_values(by, ignore_index=True)
        pd.testing.assert_frame_equal(there, answers[columns].sort_values(by, ignore_index=True))
        assert not found.ratings["simulated"].any()
        assert found.participants["complete"].all() and len(found.files) == 6

    def test_webmushra_gives_the_same_but_for_its_reference_and_the_time_of_day(
        self, asked, answers, save
    ):
        ours = import_folder(save(answers), asked).ratings
        folder = save(answers, "x.csv")
        for path in folder.glob("*.csv"):
            path.unlink()
        found = import_folder(save(as_webmushra(answers), "mushra.csv"), asked)
        assert found.files["n_references"].tolist() == [24]
        pd.testing.assert_frame_equal(
            found.ratings.drop(columns=["rated_at", "file"]),
            ours.drop(columns=["rated_at", "file"]),
        )

    def test_what_webmushra_asked_of_participants_may_stand_between(self, asked, answers, save):
        table = as_webmushra(answers)
        table.insert(1, "age", "30")
        assert len(import_folder(save(table, "mushra.csv"), asked).ratings) == 48

    @pytest.mark.parametrize(
        ("separator", "encoding", "end"),
        [(";", "utf-8-sig", "\r\n"), ("\t", "utf-16", "\r\n"), (",", "utf-8", "\n")],
    )
    def test_a_spreadsheet_may_have_saved_it(self, asked, answers, save, separator, encoding, end):
        table = answers.astype(str)
        table["rating"] = table["rating"] + ",0" if separator == ";" else table["rating"]
        table["seconds"] = table["seconds"].str.replace(".", ",") if separator == ";" else "1.5"
        table["simulated"] = "FALSE"
        options = {"sep": separator, "encoding": encoding, "lineterminator": end}
        found = import_folder(save(table, "sheet.csv", **options), asked)
        by = ["participant", "stimulus", "label"]
        assert (
            found.ratings.sort_values(by)["rating"].tolist()
            == answers.sort_values(by)["rating"].tolist()
        )
        assert found.ratings["seconds"].gt(0).all()

    def test_a_line_that_names_the_separator_may_stand_in_front(self, asked, answers, save):
        path = save(answers, "sheet.csv", sep=";") / "sheet.csv"
        path.write_text("sep=;\n" + path.read_text())
        assert len(import_folder(path.parent, asked).ratings) == 48

    @given(seed=st.integers(0, 2**16), shuffled=st.booleans())
    @settings(max_examples=4, deadline=None)
    def test_the_order_of_rows_and_files_does_not_matter(
        self, asked, tmp_path_factory, seed, shuffled
    ):
        answers = answers_to(asked, seed)
        folder = tmp_path_factory.mktemp("answers")
        rows = answers.sample(frac=1, random_state=seed) if shuffled else answers
        rows.to_csv(folder / "all.csv", index=False)
        paths = save_by_participant(answers, folder / "each", asked.test)
        together = import_files([folder / "all.csv"], asked).ratings.drop(columns="file")
        apart = import_files(paths[::-1], asked).ratings.drop(columns="file")
        pd.testing.assert_frame_equal(together, apart)


class TestKept:
    def test_who_did_not_finish_is_kept_and_counted(self, asked, answers, save):
        last = (answers["participant"] == 2) & (answers["position"] > 1)
        people = import_folder(save(answers[~last]), asked).participants.set_index("participant")
        assert people["n_rated"].tolist() == [4, 1, 4, 4, 4, 4]
        assert people["complete"].tolist() == [True, False, True, True, True, True]

    def test_one_rating_for_everything_is_flagged(self, asked, answers, save):
        rows = answers.assign(rating=answers["rating"].where(answers["participant"] != 3, 50))
        people = import_folder(save(rows), asked).participants.set_index("participant")
        assert people["all_equal"].tolist() == [False, False, True, False, False, False]

    def test_the_same_file_twice_counts_once(self, asked, answers, save):
        folder = save(answers, "a.csv")
        found = import_folder(save(answers, "b.csv"), asked)
        assert len(found.ratings) == 48 and folder.is_dir()
        assert found.files["same_as"].tolist() == ["", "a.csv"]
        assert found.files["n_ratings"].tolist() == [48, 0]

    def test_answers_that_were_saved_early_and_again_at_the_end_count_once(
        self, asked, answers, save
    ):
        save(answers[answers["position"] == 1], "early.csv")
        assert len(import_folder(save(answers, "late.csv"), asked).ratings) == 48

    def test_folders_in_the_folder_and_large_letters_are_looked_into(
        self, asked, answers, save, tmp_path
    ):
        folder = tmp_path / "answers"
        for person, rows in as_webmushra(answers).groupby("session_test_id"):
            (folder / person).mkdir(parents=True)
            rows.to_csv(folder / person / "mushra.csv", index=False)  # all of the same name
        save(answers[answers["participant"] == 1], "1.CSV")
        (folder / "._1.csv").write_bytes(b"\x00\x05\x16\x07")  # of a file manager
        found = import_folder(folder, asked)
        assert len(found.ratings) == 48
        assert found.files["file"].tolist() == [
            "1.CSV",
            *(f"l2i-{asked.test}-{person}/mushra.csv" for person in range(1, 7)),
        ]

    def test_simulated_answers_stay_simulated(self, asked, save):
        found = import_folder(save(answers_to(asked, real=False)), asked)
        assert found.ratings["simulated"].all() and found.participants["simulated"].all()


def changed(answers, place=0, **values):
    """Answers of which one row says something else."""
    rows = answers.astype(object).reset_index(drop=True)
    for column, value in values.items():
        rows.loc[place, column] = value
    return rows


class TestRefused:
    @pytest.mark.parametrize(
        ("values", "rule", "remedy"),
        [
            (
                {"participant": 99},
                "participant '99' is none of the 6",
                "the number that the person",
            ),
            ({"participant": ""}, "participant '' is none of the 6", "the number that the person"),
            ({"stimulus": "s99"}, "'s99' is no stimulus of this test", "restore the file"),
            ({"label": "C"}, "the sound 'C' is neither A nor B", "restore the file"),
            ({"rating": 101}, "the rating '101' is no whole number from 0 to 100", "restore"),
            ({"rating": -1}, "the rating '-1' is no whole number", "restore"),
            ({"rating": 50.5}, "the rating '50.5' is no whole number", "restore"),
            ({"rating": ""}, "the rating '' is no whole number", "restore"),
            ({"rating": "inf"}, "the rating 'inf' is no whole number", "restore"),
            ({"seconds": -1}, "'-1' are no seconds", "restore"),
            ({"simulated": "perhaps"}, "simulated is 'perhaps'", "restore"),
            ({"position": 7}, "in place 7, and it was given in place 1", "restore"),
        ],
    )
    def test_a_cell_that_cannot_be(self, asked, answers, save, values, rule, remedy):
        told = refused(save(changed(answers, **values), "one.csv"), asked)
        line = next(line for line in told.splitlines() if rule in line)
        assert "one.csv line 2:" in line and remedy in line

    def test_a_sound_that_is_said_to_be_the_other_systems(self, asked, answers, save):
        other = {"slime": "l2i_att", "l2i_att": "slime"}[answers["system"].iloc[0]]
        told = refused(save(changed(answers, system=other), "one.csv"), asked)
        assert f"says that A of {answers['stimulus'].iloc[0]} is {other}" in told

    def test_a_stimulus_that_was_given_to_others(self, asked, answers, save):
        free = next(s for s in asked.classes if (1, s) not in asked.plan)
        told = refused(save(changed(answers, stimulus=free), "one.csv"), asked)
        assert f"one.csv line 2: {free} was not given to participant 1" in told

    def test_another_test_is_told_once_a_file(self, asked, answers, save):
        told = refused(save(answers.assign(test="0123456789ab"), "other.csv"), asked)
        assert told.count("\n") == 1
        assert f"is of the test '0123456789ab', and this one is '{asked.test}'" in told
        assert "composed anew since" in told

    def test_a_trial_with_one_sound_rated(self, asked, answers, save):
        told = refused(save(answers.iloc[1:], "half.csv"), asked)
        assert "half.csv line 2: participant 1 rates only B" in told

    def test_contradicting_answers_name_both_files(self, asked, answers, save):
        rating = int(answers["rating"].iloc[0])
        save(answers, "first.csv")
        told = refused(save(changed(answers, rating=(rating + 1) % 100), "second.csv"), asked)
        assert "first.csv line 2 and second.csv line 2: participant 1 rates A" in told
        assert "keep one of the two" in told

    def test_real_and_simulated_answers_are_never_mixed(self, asked, answers, save):
        save(answers[answers["participant"] < 4], "real.csv")
        made_up = answers_to(asked, real=False)
        told = refused(save(made_up[made_up["participant"] > 3], "made_up.csv"), asked)
        assert "made_up.csv is simulated and real.csv is not" in told

    def test_what_is_no_table_of_answers(self, asked, answers, save):
        folder = save(answers, "good.csv")
        (folder / "notes.csv").write_text("name,age\nx,3\n")
        told = refused(folder, asked)
        assert "notes.csv holds no answers" in told and "Take it out" in told

    def test_no_ratings_at_all(self, asked, tmp_path, answers, save):
        assert "no file holds a rating" in refused(tmp_path, asked)
        assert "no file holds a rating" in refused(save(answers[:0], "empty.csv"), asked)

    def test_every_problem_is_told_at_once(self, asked, answers, save):
        rows = changed(changed(answers, rating=300), place=5, stimulus="s99")
        told = refused(save(rows, "one.csv"), asked)
        assert "'300'" in told and "'s99'" in told and re.match("answers to the listening", told)

    def test_a_name_that_steers_terminals_is_escaped(self, asked, answers, save):
        told = refused(save(changed(answers, participant="\x1b[2J"), "one.csv"), asked)
        assert "\x1b" not in told


def test_another_plan_of_the_same_stimuli_is_another_test(asked, answers, save, tmp_path):
    """It calls other sounds A, and what webMUSHRA writes says no more than A and B."""
    other = small_test(tmp_path / "other", n_participants=8)
    assert other.classes == asked.classes and {*asked.plan} <= {*other.plan}
    assert any(other.plan[key] != asked.plan[key] for key in asked.plan)
    folder = save(as_webmushra(answers), "mushra.csv")
    assert f"is of the test '{asked.test}', and this one is" in refused(folder, other)
