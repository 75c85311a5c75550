"""l2i.interpretation.explanation: what explains one sound, and what can be asked of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from helpers.known_networks import LOW, RATE
from helpers.own_sounds import SECONDS, heard_tones, known_model, small_model
from l2i.checks import InputError


@pytest.fixture(scope="module")
def tones():
    return known_model().explain(heard_tones(SECONDS), sample_rate=RATE)


def test_a_component_says_what_it_is(tones):
    component = tones.components[0]
    assert component.number == 0 and component.relevance == 1
    assert component.spectrum.shape == (513,) and component.spectrum[LOW] > 0
    assert component.activation.shape == (component.mask.shape[1],)
    assert component.mask.shape[0] == 513 and 0 <= component.mask.min() <= component.mask.max() <= 1
    assert component.mask[LOW].min() > 0.9
    assert component.level_dbfs == pytest.approx(-15, abs=0.3)  # a sine at a quarter


def test_components_that_are_not_relevant_can_be_heard_too(tones):
    assert len(tones.components) == 4
    assert np.abs(tones.components[1].waveform).max() > 0.1


def test_masks_add_up_to_one_where_the_model_has_energy(tones):
    total = sum(each.mask for each in tones.components)
    assert total.max() == pytest.approx(1, abs=1e-5)


def test_another_class_of_the_same_sound(tones):
    other = tones.of("not low")
    assert (other.target, tones.target) == ("not low", "low")
    assert other.relevances[0] == -1 and tones.relevances[0] == 1
    assert other.components[0].relevance == -1
    with pytest.raises(InputError, match="knows no class"):
        tones.of("lower")


def test_in_print_it_is_short():
    model = small_model(threshold=0.5)
    told = str(model.explain(0.1 * heard_tones(0.5), sample_rate=RATE))
    assert told.splitlines()[0].startswith("sound: decided for ")
    assert "resampled from 44100 to 8000 Hz" in told and len(told.splitlines()) < 16


def test_a_notebook_plays_what_can_be_heard(tones):
    html = tones._repr_html_()
    assert html.count("<audio") == 4 and "component 0, relevance 1.00" in html
    assert "interpretation: silence" not in html
    nothing = tones.of("never")._repr_html_()
    assert "interpretation: what speaks for never: silence" in nothing


def test_a_notebook_does_not_keep_an_hour():
    html = known_model().explain(heard_tones(61), sample_rate=RATE)._repr_html_()
    assert "<audio" not in html and "61 s are too long" in html


def test_it_is_saved_as_a_page(tones, tmp_path):
    page = tones.save(tmp_path / "page")
    assert page == tmp_path / "page/index.html" and page.is_file()
    said = json.loads((tmp_path / "page/sounds/sound/low/interpretation.json").read_text())
    assert said["interpreted_class"] == "low" and said["right"] is None
    assert list(said["sounds"]) == ["interpretation", "remainder", "component_000"]
    assert said["sounds"]["interpretation"]["probabilities"]["low"] > 0.99
    assert said["sounds"]["remainder"]["probabilities"]["low"] < 0.01
    assert (tmp_path / "page/data.js").is_file()


def test_it_is_saved_as_one_file(tones, tmp_path):
    page = tones.save(tmp_path / "page", single_file=True)
    assert "data:audio/flac" in page.read_text() and not (tmp_path / "page/data.js").exists()
