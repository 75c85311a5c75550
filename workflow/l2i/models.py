"""The way in for those who use the library and not the workflow: a model that explains sounds."""

from __future__ import annotations

import os
from pathlib import Path

from l2i.checks import InputError
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import load_model
from l2i.systems.trained import Trained, choose, is_trained, open_trained
from l2i.weights import read_identity

SHIPPED = Path(__file__).parent / "shipped" / "model.safetensors"


def load(
    where: str | os.PathLike[str] | None = None,
    *,
    dataset: str | None = None,
    fold: str | int | None = None,
    system: str | None = None,
    run: str | int | None = None,
    device: str = "cpu",
) -> Model:
    """Load a model that explains sounds.

    Parameters
    ----------
    where : path, optional
        A file of a model, the folder of a run such as results/esc10, or a trained system's file
        in one. By default the small model that ships with the library, which knows the ten classes
        of ESC-10.
    dataset, fold, system, run : str or int, optional
        Which interpreter of a run, where it has several.
    device : str
        Such as 'cpu' or 'cuda'.

    Raises
    ------
    InputError
        If there is no such model, or several.

    Examples
    --------
    >>> import l2i
    >>> model = l2i.load()
    >>> model = l2i.load("results/esc10", fold=1, system="l2i_att")
    >>> model.explain("dog.wav").save("page")
    """
    path = SHIPPED if where is None else Path(where)
    wanted = {"dataset": dataset, "fold": fold, "system": system, "run": run}
    chosen = {key: None if value is None else str(value) for key, value in wanted.items()}
    if path.is_dir():
        return open_trained(choose(path, **chosen), device=device)
    if not path.exists():
        raise InputError(f"{path}: no such model; name a file, or the folder of a run")
    if given := [key for key, value in chosen.items() if value is not None]:
        raise InputError(
            f"{path} holds one model: leave out {', '.join(given)}, which choose among those of "
            "the folder of a run"
        )
    if is_trained(path):
        return open_trained(Trained(path, read_identity(path)), device=device)
    return load_model(path, device=device)
