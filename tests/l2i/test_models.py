"""l2i.models, and what `import l2i` offers."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest
import torch

import l2i
from helpers.own_sounds import make_run, small_model
from helpers.project import PROJECT
from l2i import models
from l2i.checks import InputError
from l2i.interpretation.stored_model import save_model
from l2i.models import load
from l2i.weights import save_weights


def test_the_library_is_light_until_it_is_used():
    code = (
        "import sys; sys.path.insert(0, 'workflow'); import l2i; l2i.__version__; dir(l2i); "
        "assert not {'torch', 'numpy', 'pandas'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-I", "-c", code], cwd=PROJECT, check=True)


def test_a_shipped_model_needs_no_pandas(tmp_path):
    save_model(tmp_path / "model.safetensors", small_model())
    code = (
        "import sys; sys.path.insert(0, 'workflow'); import l2i; l2i.load(sys.argv[1]); "
        "assert not {'pandas', 'scipy.signal', 'numba', 'jsonschema'} & {*sys.modules}"
    )
    command = [sys.executable, "-I", "-c", code, tmp_path / "model.safetensors"]
    subprocess.run(command, cwd=PROJECT, check=True)


def test_it_offers_few_names():
    assert sorted(dir(l2i)) == sorted(l2i.__all__) and len(l2i.__all__) < 10
    assert all(hasattr(l2i, name) for name in l2i.__all__)
    assert l2i.load is load and l2i.Model.__name__ == "Model"
    assert not hasattr(l2i, "explain")


@pytest.mark.parametrize("name", ["load", "Model", "Explanation", "Component"])
def test_each_shows_how_it_is_used(name):
    assert ">>> " in getattr(l2i, name).__doc__


def test_it_has_the_version_that_is_cited():
    assert f"\nversion: {l2i.__version__}\n" in (PROJECT / "CITATION.cff").read_text()


def test_a_file_a_run_and_a_file_in_it_are_models(tmp_path):
    run = make_run(tmp_path / "run")
    save_model(tmp_path / "model.safetensors", small_model())
    of_run = load(run)
    assert load(tmp_path / "model.safetensors").card == {"system": "Small"}
    (path,) = run.glob("systems/*/*/*/*/*/model.safetensors")
    assert load(path).card == of_run.card == load(run, fold=1).card


def test_what_is_no_model_is_told(tmp_path):
    with pytest.raises(InputError, match="no such model"):
        load(tmp_path / "nothing")
    save_model(tmp_path / "model.safetensors", small_model())
    with pytest.raises(InputError, match="is one model: leave out fold"):
        load(tmp_path / "model.safetensors", fold=1)
    (tmp_path / "text").write_text("no weights")
    with pytest.raises(InputError, match="not a readable safetensors file"):
        load(tmp_path / "text")


def damages(path):
    """What may lie under the name of a model: a part of it, a pickle, JSON, other numbers."""
    content = path.read_bytes()
    yield content[: len(content) // 2]
    yield pickle.dumps([1, 2])
    yield b'{"W": [1, 2]}'
    save_weights(path, {"W": torch.ones(1)}, kind="model")
    yield path.read_bytes()


def test_the_remedy_is_one_that_brings_the_file_back(tmp_path, monkeypatch):
    save_model(tmp_path / "mine.safetensors", small_model())
    (of_run,) = make_run(tmp_path / "run").glob("systems/*/*/*/*/*/model.safetensors")
    shipped = tmp_path / "shipped.safetensors"
    monkeypatch.setattr(models, "SHIPPED", shipped)
    for content in damages(tmp_path / "mine.safetensors"):
        for path, where, remedy in [
            (
                tmp_path / "mine.safetensors",
                None,
                "fetch it again, or export it anew by l2i export",
            ),
            (shipped, "shipped", "install l2i again"),
            (of_run, None, "delete it and give your command again"),
        ]:
            path.write_bytes(content)
            with pytest.raises(InputError, match=f"{path.name} .*; {remedy}$"):
                load(None if where else path)
