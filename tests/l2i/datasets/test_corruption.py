"""l2i.datasets.corruption: clips in company that is known."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from helpers.noise_corpus import LABELS, RATE, make_fold
from l2i.checks import InputError
from l2i.datasets.corruption import KINDS, NOISE, OTHER, Pair, corrupted, pair_of, partners_of


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A fold and the folder of its data."""
    folder = tmp_path_factory.mktemp("data")
    return make_fold(folder), str(folder)


def decibel(x, y):
    """Ratio of the energies of two sounds, written the long way round."""
    x, y = (np.linalg.norm(np.asarray(each, dtype=np.float64)) for each in (x, y))
    return 20 * (np.log10(x) - np.log10(y))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("snr_db", [-10, 0.5, 20])
def test_the_parts_add_up_in_the_ratio_that_is_asked_for(corpus, kind, snr_db):
    mixture = corrupted(*corpus_row(corpus, 1), kind=kind, snr_db=snr_db, seed=0)
    assert decibel(mixture.source, mixture.other) == pytest.approx(snr_db, abs=1e-5)
    assert torch.equal(mixture.source + mixture.other, mixture.waveform)
    assert mixture.waveform.dtype == torch.float32
    assert float(mixture.waveform.abs().max()) == pytest.approx(1, abs=1e-6)


def corpus_row(corpus, row):
    """The first arguments of `corrupted`."""
    fold, data = corpus
    return fold, row, data


def test_the_source_is_the_clip_and_the_other_its_partner(corpus):
    fold, data = corpus
    mixture = corrupted(fold, 0, data, kind=OTHER, snr_db=3, seed=0)
    partner = fold.index["clip"].tolist().index(mixture.partner)
    for part, row in ((mixture.source, 0), (mixture.other, partner)):
        clip = fold.waveform(data, row)
        assert_close(part / part.abs().max(), clip / clip.abs().max())
    assert corrupted(fold, 0, data, kind=NOISE, snr_db=3, seed=0).partner == ""


def test_noise_is_white_and_of_no_one_size(tmp_path):
    fold = make_fold(tmp_path, lengths=2 * RATE)
    mixtures = [corrupted(fold, row, str(tmp_path), kind=NOISE, snr_db=0, seed=0) for row in (0, 1)]
    one, two = (mixture.other.double() for mixture in mixtures)
    spectrum = torch.fft.rfft(one).abs().square()
    low, high = spectrum[1 : len(spectrum) // 2].mean(), spectrum[len(spectrum) // 2 :].mean()
    assert float(low / high) == pytest.approx(1, rel=0.1)
    assert abs(float(one @ two / (one.norm() * two.norm()))) < 0.03  # another for each clip
    kurtosis = (one / one.std()).pow(4).mean()
    assert float(kurtosis) == pytest.approx(3, rel=0.1)  # as of a Gaussian


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_the_same_at_every_ratio_and_others_with_another_seed(corpus, kind):
    fold, data = corpus
    loud, faint = (
        corrupted(fold, 2, data, kind=kind, snr_db=snr_db, seed=0) for snr_db in (-10, 10)
    )
    assert loud.partner == faint.partner
    assert_close(loud.other / loud.other.norm(), faint.other / faint.other.norm())
    if kind == NOISE:
        another = corrupted(fold, 2, data, kind=kind, snr_db=10, seed=1)
        assert not torch.allclose(another.other, faint.other, atol=1e-3)
    else:
        drawn = {tuple(partners_of(fold, 2, seed)) for seed in range(10)}
        assert len(drawn) > 3


def test_partners_are_test_clips_of_another_class(corpus):
    fold, _ = corpus
    for row in fold.test_rows:
        others = {i for i in range(6) if LABELS[i] != LABELS[row]}
        assert {*partners_of(fold, row, 0)} == others


def test_every_partner_is_drawn_alike_often(corpus):
    fold, _ = corpus
    first = [partners_of(fold, 0, seed)[0] for seed in range(400)]
    shares = np.bincount(first, minlength=6)[2:6] / 400
    assert np.abs(shares - 0.25).max() < 0.08


def test_draws_depend_on_neither_order_nor_company_of_the_clips(corpus):
    fold, data = corpus
    turned = dataclasses.replace(fold, index=fold.index.iloc[::-1].reset_index(drop=True))
    for kind in KINDS:
        there = corrupted(fold, 1, data, kind=kind, snr_db=0, seed=0)
        here = corrupted(turned, len(LABELS) - 2, data, kind=kind, snr_db=0, seed=0)
        assert torch.equal(there.waveform, here.waveform)
    drawn = partners_of(fold, 1, 0)
    fewer = dataclasses.replace(fold, index=fold.index.drop(drawn[-1]).reset_index(drop=True))
    names = fold.index["clip"].iloc[drawn[:-1]].tolist()
    assert fewer.index["clip"].iloc[partners_of(fewer, 1, 0)].tolist() == names


def test_a_partner_fits_the_clip_and_may_be_cropped(tmp_path):
    lengths = [400, 900, 900, 300, 500, 600, 700, 800]
    fold, data = make_fold(tmp_path, lengths=lengths), str(tmp_path)
    for row in fold.test_rows:
        mixture = corrupted(fold, row, data, kind=OTHER, snr_db=-5, seed=0)
        assert len(mixture.waveform) == lengths[row]
        assert decibel(mixture.source, mixture.other) == pytest.approx(-5, abs=1e-5)
        cut = pair_of(fold, row, data, kind=OTHER, seed=0, clip_seconds=0.1)
        assert len(cut.source) == len(cut.other) == 800
        mixed = cut.mixed(-5)
        assert decibel(mixed.source, mixed.other) == pytest.approx(-5, abs=1e-5)


def test_a_silent_clip_is_nobodys_partner(tmp_path, corpus):
    fold, data = corpus
    chosen = partners_of(fold, 0, 0)
    silent = make_fold(tmp_path, silent=chosen[:1])
    mixture = corrupted(silent, 0, str(tmp_path), kind=OTHER, snr_db=0, seed=0)
    assert mixture.partner == fold.index["clip"].iloc[chosen[1]]


@pytest.mark.parametrize("kind", KINDS)
def test_a_silent_clip_is_refused_by_name(tmp_path, kind):
    fold = make_fold(tmp_path, silent=[0])
    with pytest.raises(InputError, match="clip 0 of corpus cannot be corrupted.*silent.*leave"):
        corrupted(fold, 0, str(tmp_path), kind=kind, snr_db=0, seed=0)
    assert pair_of(fold, 0, str(tmp_path), kind=kind, seed=0).is_silent


def test_what_cannot_be_done_is_refused(tmp_path, corpus):
    fold, data = corpus
    with pytest.raises(InputError, match="hum is no kind of corruption: there are noise, class"):
        corrupted(fold, 0, data, kind="hum", snr_db=0, seed=0)
    lonely = dataclasses.replace(fold, index=fold.index.assign(label=0))
    with pytest.raises(InputError, match="no test clip of another class sounds"):
        corrupted(lonely, 0, data, kind=OTHER, snr_db=0, seed=0)
    several = dataclasses.replace(fold, index=fold.index.drop(columns="label"))
    with pytest.raises(InputError, match="any number of classes"):
        corrupted(several, 0, data, kind=NOISE, snr_db=0, seed=0)
    with pytest.raises(InputError, match="cancels"):
        Pair(np.ones(8), -np.ones(8), "x", "absolute").mixed(0)


@settings(max_examples=50, deadline=None)
@given(
    snr_db=st.floats(-40, 40),
    scale=st.sampled_from(["none", "absolute", "signed"]),
    levels=st.tuples(st.floats(1e-3, 1), st.floats(1e-3, 1)),
    seed=st.integers(0, 1000),
)
def test_whatever_the_levels_the_ratio_is_exact_and_the_mixture_scaled(snr_db, scale, levels, seed):
    rng = np.random.default_rng(seed)
    source, other = (level * rng.standard_normal(500) for level in levels)
    mixture = Pair(source, other, "x", scale).mixed(snr_db)
    assert decibel(mixture.source, mixture.other) == pytest.approx(snr_db, abs=1e-4)
    peaks = {
        "none": mixture.source.norm() / np.linalg.norm(source),  # a clip keeps its own level
        "absolute": mixture.waveform.abs().max(),
        "signed": mixture.waveform.max(),
    }
    assert float(peaks[scale]) == pytest.approx(1, abs=1e-5)
