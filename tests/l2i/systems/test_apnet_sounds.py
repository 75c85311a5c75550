"""l2i.systems.apnet_sounds: prototypes as sound."""

import json

import numpy as np
import pytest
import torch

from helpers.apnet_tasks import RATE, TINY, TONES, network, task, trained
from helpers.project import load_module
from l2i.features.log_mel import LogMel
from l2i.features.resampling import resample
from l2i.systems.apnet_sounds import (
    PEAK,
    heaviest_prototypes,
    logits_of_sound,
    prototype_sounds,
    waveform_of,
)


def loudest(x, sample_rate):
    """Frequency in Hz at which a waveform has most energy."""
    return np.abs(np.fft.rfft(x)).argmax() * sample_rate / len(x)


class TestWaveform:
    @pytest.mark.parametrize("frequency", [300.0, 1000.0])
    def test_a_tone_comes_back_in_its_band(self, frequency):
        front_end = LogMel(sample_rate=8000, n_fft=1024, hop_length=256, n_mels=64)
        x = torch.sin(2 * torch.pi * frequency * torch.arange(8000) / 8000)[None]
        back = waveform_of(front_end(x, 8000)[0], front_end)
        assert back.dtype == np.float32 and np.abs(back).max() == pytest.approx(PEAK)
        assert loudest(back, 8000) == pytest.approx(frequency, rel=0.05)

    def test_its_log_mel_is_about_the_one_that_was_given(self, generator):
        front_end = LogMel(sample_rate=8000, n_fft=1024, hop_length=256, n_mels=32)
        M = front_end(torch.randn(1, 8000, generator=generator), 8000)[0]
        back = front_end(torch.from_numpy(waveform_of(M, front_end))[None], 8000)[0]
        # A frame of the result is a window's half later than that of the original.
        difference = back - M[2:-2]
        assert (difference - difference.mean()).abs().mean() < 2.0  # dB; the level is lost

    def test_silence_is_finite(self):
        front_end = LogMel(**TINY)
        assert np.isfinite(waveform_of(torch.full((8, 16), -1000.0), front_end)).all()

    def test_the_same_spectrogram_gives_the_same_sound(self, generator):
        M = torch.randn(8, 16, generator=generator)
        assert np.array_equal(waveform_of(M, LogMel(**TINY)), waveform_of(M, LogMel(**TINY)))


class TestSounds:
    def test_prototypes_of_tones_sound_like_them(self, tmp_path):
        problem = task(tmp_path)
        net = trained(problem, n_epochs=60).network
        numbers = heaviest_prototypes(net)
        sounds = prototype_sounds(net, problem, problem.rows, numbers)
        for target, (tone, sound) in enumerate(zip(TONES, sounds, strict=True)):
            assert sound.number == numbers[target]
            assert sound.class_weights.argmax().item() == target
            assert sound.nearest_row in problem.rows and sound.nearest_row % 2 == target
            assert sound.sample_rate == TINY["sample_rate"]
            assert loudest(sound.waveform, sound.sample_rate) == pytest.approx(tone, rel=0.1)

    def test_the_nearest_clip_is_the_nearest(self, tmp_path):
        problem = task(tmp_path)
        net = trained(problem, n_epochs=1).network
        rows = problem.rows
        with torch.no_grad():
            features, masks = net.encoder(net.inputs(problem.clips(rows)))
            difference = features[:, None] - net.prototypes[None]
            distances = difference.square().sum((2, 3)).mean(2)
        for sound in prototype_sounds(net, problem, rows, range(4)):
            nearest = distances[:, sound.number].argmin().item()
            assert sound.nearest_row == rows[nearest]
            assert sound.distance == pytest.approx(
                distances[nearest, sound.number].item(), rel=1e-3
            )
            with torch.no_grad():
                own = [mask[nearest : nearest + 1] for mask in masks]
                decoded = net.decoder(net.prototypes[sound.number][None], tuple(own))
            torch.testing.assert_close(sound.log_mel, net.unscale(decoded)[0])

    def test_a_sound_at_its_own_rate_is_heard_as_a_clip_is(self, tmp_path):
        problem = task(tmp_path)
        net = trained(problem, n_epochs=1).network
        clips = problem.clips(problem.rows[:1])
        resampled = resample(clips.waveforms[0].numpy(), RATE, TINY["sample_rate"])
        with torch.no_grad():
            expected = net.predict(clips).logits[0]
        found = logits_of_sound(net, resampled)
        torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)

    def test_the_script_writes_what_the_network_says_of_each_prototype(self, tmp_path):
        problem = task(tmp_path)
        problem.fold.index["clip"] = [f"clip {i}" for i in problem.fold.index.index]
        net = trained(problem, n_epochs=60).network
        sounds = load_module("sound_prototypes").sound_prototypes
        sounds(problem, net, str(tmp_path / "sounds"))
        about = json.loads((tmp_path / "sounds/prototypes.json").read_text())
        for entry, name in zip(about, ["low", "high"], strict=True):
            assert (entry["class"], entry["kind"]) == (name, "prototype")
            assert entry["front_end"] == TINY and sum(entry["probabilities"].values()) == (
                pytest.approx(1, abs=1e-5)
            )
            assert max(entry["probabilities"], key=entry["probabilities"].get) == name

    def test_the_heaviest_prototype_adds_most_to_its_class(self):
        net = network()
        net.linear.weight.data = torch.tensor([[1.0, 2.0, -9.0, 0.0], [0.0, 0.0, 1.0, 3.0]])
        net.row_weights.data = torch.tensor([[5.0], [1.0], [-1.0], [1.0]]).expand(4, 4) / 4
        assert heaviest_prototypes(net) == [2, 3]  # -9 times -1 is more than 5 times 1
