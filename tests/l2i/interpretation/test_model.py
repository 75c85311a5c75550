"""l2i.interpretation.model: explanations of sounds of one's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers.known_networks import RATE
from helpers.own_sounds import SECONDS, heard_tones, known_model, small_model, write_noise
from l2i.checks import InputError
from l2i.features.audio import scale_waveform, write_wav
from l2i.interpretation.synthesis import synthesise


def noise(model, n_samples):
    x = 0.1 * np.random.default_rng(0).standard_normal(n_samples)
    return x.astype(np.float32)


class TestClip:
    @pytest.mark.parametrize("seconds", [0.3, 1.5, SECONDS, 1.03 * SECONDS])
    @pytest.mark.parametrize("scale", ["absolute", "signed", "none"])
    def test_it_is_explained_as_the_workflow_does(self, seconds, scale):
        model = replace(small_model(), waveform_scale=scale, threshold=0.3)
        x = noise(model, round(seconds * model.front_end.sample_rate))
        explained = model.explain(x, sample_rate=8000)
        workflow = synthesise(
            model.explained,
            torch.from_numpy(scale_waveform(x, scale)),
            model.front_end,
            threshold=0.3,
            n_decided=model.hearing.n_samples,
        )
        gain = explained.gain
        assert explained.target == model.classes[workflow.target]
        assert [each.number for each in explained.relevant] == [*workflow.components]
        np.testing.assert_array_equal(explained.relevances, workflow.relevance)
        np.testing.assert_array_equal(explained.activations, workflow.activations)
        np.testing.assert_array_equal(explained.interpretation, gain * workflow.interpretation)
        np.testing.assert_array_equal(explained.remainder, gain * workflow.remainder)
        for number, sound in workflow.components.items():
            np.testing.assert_array_equal(explained.components[number].waveform, gain * sound)
        said = dict(zip(model.classes, workflow.probabilities.tolist(), strict=True))
        assert explained.probabilities == pytest.approx(said, abs=1e-6)

    def test_sounds_have_the_level_of_the_file(self):
        quiet = known_model().explain(0.01 * heard_tones(SECONDS), sample_rate=RATE)
        loud = known_model().explain(heard_tones(SECONDS), sample_rate=RATE)
        np.testing.assert_allclose(100 * quiet.interpretation, loud.interpretation, atol=1e-4)
        np.testing.assert_allclose(100 * quiet.waveform, loud.waveform, rtol=1e-5)

    def test_a_short_one_says_so(self):
        explained = known_model().explain(heard_tones(0.01), sample_rate=RATE)
        assert explained.notes == ["0.01 s, with silence added up to 1.6 s"]
        assert len(explained.interpretation) == len(explained.remainder) == 441


class TestLongSound:
    def test_its_low_tone_is_the_interpretation_from_end_to_end(self):
        x = heard_tones(7.3)
        explained = known_model().explain(x, sample_rate=RATE)
        assert explained.target == "low" and explained.relevant[0].number == 0
        low = heard_tones(7.3, high=0.0)
        error = explained.interpretation - low
        assert 20 * np.log10(np.std(low) / np.std(error[2000:-2000])) > 25

    def test_it_has_a_timeline(self):
        x = np.concatenate([heard_tones(4), heard_tones(4, low=0.0)])
        timeline = known_model().explain(x, sample_rate=RATE).timeline
        assert timeline.start_seconds[0] == 0 and timeline.end_seconds[-1] == 8
        before = np.array(timeline.end_seconds) < 4
        after = np.array(timeline.start_seconds) > 4
        assert (timeline.probabilities[before, 0] > 0.9).all()
        assert (timeline.probabilities[after, 0] < 0.1).all()

    def test_a_clip_has_none(self):
        assert known_model().explain(heard_tones(SECONDS), sample_rate=RATE).timeline is None


class TestTarget:
    def test_another_class_can_be_explained(self):
        model = known_model()
        explained = model.explain(heard_tones(SECONDS), sample_rate=RATE, target="not low")
        assert explained.target == "not low" and explained.decided == ["low"]
        assert explained.relevant == [] and not np.abs(explained.interpretation).max() > 1e-6

    def test_an_unknown_one_is_told_with_the_most_similar_first(self):
        with pytest.raises(InputError, match="no class 'nevr': name one of never, low, not low"):
            known_model().explain(heard_tones(SECONDS), sample_rate=RATE, target="nevr")


class TestRefusals:
    def test_silence(self):
        with pytest.raises(InputError, match="is silent throughout"):
            known_model().explain(np.zeros(RATE), sample_rate=RATE)

    def test_what_has_no_scale(self, tmp_path):
        model = replace(small_model(), waveform_scale="signed")
        write_wav(tmp_path / "below.wav", -np.ones(800, np.float32) * 0.1, sample_rate=8000)
        model.explain(tmp_path / "below.wav")  # flipped, as the authors' code does
        x = np.r_[np.zeros(400, np.float32), -np.ones(400, np.float32)]
        write_wav(tmp_path / "below.wav", x, sample_rate=8000)
        with pytest.raises(InputError, match="below.wav: a waveform with maximum 0 has no signed"):
            model.explain(tmp_path / "below.wav")

    def test_a_file_is_named(self, tmp_path):
        path = write_noise(tmp_path / "quiet.wav")
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(InputError, match="quiet.wav: is truncated"):
            known_model().explain(path)


def test_parts_of_a_sound_are_heard_as_loud_as_any():
    model = known_model()
    explained = model.explain(heard_tones(5), sample_rate=RATE)
    assert model.heard_in(0.001 * explained.interpretation, 1)[0] > 0.99
    assert model.heard_in(explained.remainder, 1)[0] < 0.01
    assert model.heard_in(1e-7 * explained.waveform, 1) is None
