"""Acceptances: who may accept what, and what it then counts for."""

from __future__ import annotations

import json

import pytest

from helpers.records import write_record, write_result
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.acceptance import accept, load_acceptance, revoke
from l2i.provenance.currency import KnownRecords
from l2i.provenance.records import (
    acceptance_path,
    is_acceptance,
    is_record,
    papers_of,
    record_path,
    result_of,
)
from l2i.provenance.runs import Run


@pytest.fixture
def model(tmp_path):
    """A result of one input, each with its record."""
    source, path = tmp_path / "clips.npy", tmp_path / "model"
    write_result(source, "clips")
    path.write_text("weights")
    write_record(path, {"rate": 1}, [("clips", source)])
    record = json.loads(record_path(path).read_text())
    record["inputs"][0]["sha256"] = file_sha256(source)
    record_path(path).write_text(json.dumps(record))
    return str(path)


def made(path):
    return KnownRecords().identity_of(path)


def today(path, **settings):
    """The same job with other settings."""
    return made(path)._replace(settings={"rate": 1} | settings)


def changes(path, now):
    return [each.name for each in KnownRecords().changes_since(path, now)]


class TestWhatItCountsFor:
    def test_what_was_accepted_is_current_and_so_is_what_was_recorded(self, model):
        recorded, now = made(model), today(model, rate=2)
        assert changes(model, now) == ["rate"]
        accept([model], now, "the rate is not used")
        assert changes(model, now) == changes(model, recorded) == []
        assert made(model).settings == {"rate": 2} and KnownRecords().is_accepted(model)

    def test_a_further_change_is_stale_since_what_was_accepted(self, model):
        accept([model], today(model, rate=2), "why")
        (change,) = KnownRecords().changes_since(model, today(model, rate=3))
        assert (change.before, change.after) == ("2", "3")

    def test_one_may_be_accepted_after_another_and_none_is_forgotten(self, model):
        for rate in (2, 3):
            accept([model], today(model, rate=rate), f"why {rate}")
        for rate in (1, 2, 3):
            assert changes(model, today(model, rate=rate)) == []
        first, second = load_acceptance(model)["accepted"]
        assert (first["reason"], second["reason"]) == ("why 2", "why 3")
        assert second["before"] == first["after"]

    def test_revoked_it_is_as_stale_as_before(self, model):
        accept([model], today(model, rate=2), "why")
        revoke(model)
        revoke(model)
        assert changes(model, today(model, rate=2)) == ["rate"] and load_acceptance(model) is None

    def test_beside_another_record_it_counts_for_nothing(self, model):
        now = today(model, rate=2)
        accept([model], now, "why")
        record = json.loads(record_path(model).read_text())
        record_path(model).write_text(json.dumps(record | {"seconds": 2.0}))
        assert changes(model, now) == ["rate"] and not KnownRecords().is_accepted(model)
        accept([model], now, "again")  # nor does it go on from there
        (only,) = load_acceptance(model)["accepted"]
        assert only["reason"] == "again"

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: "",
            lambda text: "[]",
            lambda text: text[:-20],
            lambda text: text.replace('"acceptance_version": 1', '"acceptance_version": 9'),
            lambda text: text.replace('"settings": {', '"settings_": {'),
            lambda text: text.replace('"pins": {}', '"pins": 3'),
        ],
    )
    def test_a_damaged_one_counts_for_nothing_and_is_told(self, model, damage):
        now = today(model, rate=2)
        accept([model], now, "why")
        path = acceptance_path(model)
        path.write_text(damage(path.read_text()))
        assert changes(model, now) == ["rate"]
        with pytest.raises(InputError, match=f"{path} is damaged .* delete it"):
            load_acceptance(model)

    def test_an_input_that_is_another_one_since_is_stale(self, model):
        source = KnownRecords().identity_of(model).inputs[0][1]
        accept([model], today(model, rate=2), "why")
        now = today(model, rate=2)._replace(inputs=[("clips", source, "9" * 64)])
        assert len(changes(model, now)) == 1


class TestWhatItSays:
    def test_who_when_why_and_all_that_decides_before_and_after(self, model):
        accept([model], today(model, rate=2), " not used ")
        found = load_acceptance(model)
        (only,) = found["accepted"]
        assert only["user"] and only["host"] and only["time"].endswith("+00:00")
        assert only["reason"] == "not used"
        assert only["before"]["settings"] == {"rate": 1} and only["after"]["settings"] == {
            "rate": 2
        }
        assert only["before"]["fingerprints"]["code"] == made(model).code
        assert only["before"]["inputs"] == only["after"]["inputs"] != []
        assert found["record_sha256"] == file_sha256(record_path(model))
        assert found["path"] == model and found["outputs"] == [model]

    def test_departures_are_accepted_with_it(self, model):
        record = json.loads(record_path(model).read_text())
        record["departures"] = {"numpy": {"pinned": "2.4.6", "installed": "2.4.5"}}
        record_path(model).write_text(json.dumps(record))
        accept([model], made(model), "a patch release")
        assert load_acceptance(model)["departures"] == record["departures"]

    def test_the_record_stays_as_it_is(self, model):
        before = record_path(model).read_bytes()
        accept([model], today(model, rate=2), "why")
        assert record_path(model).read_bytes() == before


class TestWhatIsRefused:
    @pytest.mark.parametrize("reason", ["", " \n"])
    def test_no_reason(self, model, reason):
        with pytest.raises(InputError, match="needs a reason"):
            accept([model], today(model, rate=2), reason)

    def test_bytes_that_are_not_as_recorded(self, model, tmp_path):
        (tmp_path / "model").write_text("Weights")
        with pytest.raises(InputError, match=f"{model} was changed after .* delete {model}"):
            accept([model], today(model, rate=2), "why")

    def test_a_result_that_is_gone(self, model, tmp_path):
        (tmp_path / "model").unlink()
        with pytest.raises(InputError, match=f"{model} cannot be read"):
            accept([model], made(model), "why")

    def test_a_result_without_a_record(self, model):
        now = today(model, rate=2)
        record_path(model).unlink()
        with pytest.raises(InputError, match=f"nothing vouches for {model}"):
            accept([model], now, "why")

    def test_an_input_of_which_nothing_vouches(self, model, tmp_path):
        source = str(tmp_path / "clips.npy")
        now = today(model)._replace(inputs=[("clips", source, None)])
        with pytest.raises(InputError, match=f"{source}, of which {model} is made, has no record"):
            accept([model], now, "why")

    @pytest.fixture
    def pair(self, model, tmp_path):
        other = tmp_path / "other"
        write_result(other, "more")
        return [model, str(other)]

    def test_all_outputs_of_a_job_or_none(self, pair, tmp_path):
        accept(pair, today(pair[0], rate=2), "why")
        assert all(load_acceptance(path)["outputs"] == pair for path in pair)
        for path in pair:
            revoke(path)
        (tmp_path / "other").write_text("less")
        with pytest.raises(InputError):
            accept(pair, today(pair[0], rate=2), "why")
        assert not [path for path in pair if acceptance_path(path).exists()]

    def test_what_fails_half_way_leaves_what_was_accepted_before(self, pair, monkeypatch):
        accept(pair, today(pair[0], rate=2), "why")
        before = [acceptance_path(path).read_text() for path in pair]

        def write(target, value):
            if target == acceptance_path(pair[1]):
                raise OSError(28, "No space left on device")
            target.write_text(json.dumps(value))

        monkeypatch.setattr("l2i.provenance.acceptance.write_json", write)
        with pytest.raises(OSError, match="No space"):
            accept(pair, today(pair[0], rate=3), "why")
        assert [acceptance_path(path).read_text() for path in pair] == before


class TestNames:
    def test_an_acceptance_is_no_record(self, model):
        accept([model], today(model, rate=2), "why")
        record, acceptance = papers_of(model)
        assert acceptance.name == "model.accepted.json" and acceptance.exists()
        assert is_record(record) and not is_record(acceptance)
        assert is_acceptance(acceptance) and not is_acceptance(record)
        assert str(result_of(record)) == str(result_of(acceptance)) == model

    def test_a_run_does_not_take_it_for_a_result(self, model, tmp_path):
        before = [*Run(tmp_path).results()]
        accept([model], today(model, rate=2), "why")
        assert [*Run(tmp_path).results()] == before
