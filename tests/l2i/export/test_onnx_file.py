"""l2i.export.onnx_file: a model that onnxruntime explains sounds with."""

import json
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers.own_sounds import small_model
from helpers.project import PROJECT
from l2i import __version__
from l2i.checks import InputError
from l2i.export.graph import Graph
from l2i.export.onnx_file import INPUTS, OUTPUTS, is_ours, save_onnx
from l2i.features.audio import read_audio, write_wav
from l2i.features.spectral import FrontEnd
from l2i.models import load

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
RATE = 44_100


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    save_onnx(path, load())
    return path


@pytest.fixture(scope="module")
def session(path):
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 3
    return onnxruntime.InferenceSession(path, quiet)


def run(session, **inputs):
    return dict(zip(OUTPUTS, session.run(None, inputs), strict=True))


def noise(n_samples, seed=0):
    return 0.3 * np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32)


@pytest.fixture
def exact(monkeypatch):
    """The front end with spectra of float64: what float32 rounds there, networks hear."""
    stft = FrontEnd.stft
    monkeypatch.setattr(
        FrontEnd, "stft", lambda self, x: stft(self, x.double()).to(torch.complex64)
    )


def assert_explains_as(heard, x, model):
    """What the file says of a clip beside `Model.explain`, within 1e-4."""
    e = model.explain(x, sample_rate=RATE)
    target = model.classes.index(e.target)
    peak = np.abs(x).max()
    probabilities = [*e.probabilities.values()]
    assert np.allclose(heard["probabilities"][0], probabilities, rtol=0, atol=1e-4)
    assert np.allclose(heard["relevances"][0], e.class_relevances, rtol=0, atol=1e-4)
    most = float(e.activations.max())
    assert np.allclose(heard["activations"][0], e.activations, rtol=0, atol=1e-4 * most)
    assert np.allclose(heard["interpretation"][0], e.interpretation, rtol=0, atol=1e-4 * peak)
    assert np.allclose(heard["remainder"][0], e.remainder, rtol=0, atol=1e-4 * peak)
    assert heard["decided"][0].nonzero()[0] == [target]


@pytest.mark.parametrize("n_samples", [1, 700, 65_025, 220_500, 231_000])
def test_it_explains_noise_as_the_model_does(session, exact, n_samples):
    x = noise(n_samples)
    assert_explains_as(run(session, waveform=x[None]), x, load())


def test_it_explains_recordings_as_the_model_does(session, exact):
    root = os.environ.get("L2I_DATA")
    if root is None:
        pytest.skip("L2I_DATA is not set: it names a folder of real corpora")
    for path in sorted(Path(root, "esc10/audio").iterdir())[::150]:
        x = read_audio(path, sample_rate=RATE)
        assert_explains_as(run(session, waveform=x[None]), x, load())


def test_a_long_sound_is_one_window_a_batch_is_one_clip_after_the_other(session):
    x = np.stack([noise(400_001), 0.01 * noise(400_001, 1)])
    with torch.no_grad():
        expected = Graph(load()).eval()(torch.from_numpy(x), torch.tensor(0.1), torch.tensor(-1))
    for found, value in zip(run(session, waveform=x).values(), expected, strict=True):
        assert np.allclose(found, value, atol=1e-4 * float(value.float().abs().max()))


def test_silence(session):
    heard = run(session, waveform=np.zeros((1, 3000), np.float32))
    assert not heard["interpretation"].any() and np.isfinite(heard["activations"]).all()


def test_class_and_threshold_may_be_said(session):
    x = noise(50_000)[None]
    default = run(session, waveform=x)
    decided = default["probabilities"][0].argmax()
    same = run(session, waveform=x, target=np.array(decided), threshold=np.array(0.1, np.float32))
    assert np.array_equal(default["interpretation"], same["interpretation"])
    nothing = run(session, waveform=x, threshold=np.array(1, np.float32))
    assert not nothing["interpretation"].any() and nothing["remainder"].any()
    for target in range(10):
        chosen = default["relevances"][0, target] > 0.1
        heard = run(session, waveform=x, target=np.array(target))["interpretation"]
        assert heard.any() == chosen.any()


def test_the_file_says_all_that_is_needed(session):
    model, about = load(), session.get_modelmeta().custom_metadata_map
    assert json.loads(about["classes"]) == model.classes
    assert json.loads(about["front_end"]) == asdict(model.front_end)
    assert json.loads(about["sample_rate"]) == RATE and about["l2i_version"] == __version__
    assert (json.loads(about["threshold"]), json.loads(about["clip_seconds"])) == (0.1, 5.0)
    assert about["settings_sha256"] == model.card["made_by"]["settings_sha256"]
    assert json.loads(about["card"])["measured"] == model.card["measured"]
    found = {each.name: each.shape for each in session.get_outputs()}
    sizes = {"C": 10, "K": 100}
    said = json.loads(about["outputs"])
    assert found == {n: [sizes.get(a, a) for a in said[n]["axes"]] for n in OUTPUTS}
    assert {*json.loads(about["inputs"])} == {*INPUTS}
    assert [each.name for each in session.get_inputs()] == ["waveform"]
    assert {each.name for each in session.get_overridable_initializers()} == {"threshold", "target"}


def test_nothing_in_it_tells_where_it_was_made(path):
    content = path.read_bytes()
    assert str(PROJECT).encode() not in content and b"graph.py" not in content
    n_parameters = sum(p.numel() for p in Graph(load()).parameters())
    assert len(content) < 4 * n_parameters + 1e6  # no sines of all bins and samples, 12 MB


def test_what_is_ours_is_known(path, tmp_path):
    assert is_ours(path)
    other = tmp_path / "other.onnx"
    other.write_bytes(b"no model")
    assert not is_ours(other)
    proto = onnx.load(path)
    del proto.metadata_props[:]
    onnx.save(proto, other)  # a model, of somebody else
    assert not is_ours(other)


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(
        InputError, match=r"onnx and onnxscript .*pip install '\.\[onnx\]' in a clone"
    ):
        save_onnx(tmp_path / "model.onnx", small_model())
    assert not [*tmp_path.iterdir()]


def test_the_example_of_the_documentation_runs_as_printed(path, tmp_path, monkeypatch, capsys):
    page = Path(PROJECT / "docs/export.md").read_text(encoding="utf-8")
    [code] = re.findall(r"<!-- example -->\n```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    Path("model.onnx").symlink_to(path)
    x = noise(30_000)
    write_wav("dog.wav", x, sample_rate=RATE)
    exec(code, {})
    name, probability = capsys.readouterr().out.split()
    assert name in load().classes and 0.1 < float(probability) <= 1
    assert Path("interpretation.wav").stat().st_size >= 2 * len(x)
