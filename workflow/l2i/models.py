"""The way in for those who use the library and not the workflow: a model that explains sounds."""

from __future__ import annotations

import os
from pathlib import Path

from l2i.checks import REMAKE, InputError
from l2i.interpretation.model import Model
from l2i.interpretation.stored_model import HANDED_ON, KIND, load_model
from l2i.weights import read_identity

SHIPPED = Path(__file__).parent / "shipped" / "model.safetensors"
IN_A_RUN = "systems/*/fold*/*/*/run*/model.safetensors"


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
    wanted = {"dataset": dataset, "fold": fold, "system": system, "run": run}
    chosen = {key: str(value) for key, value in wanted.items() if value is not None}
    path = SHIPPED if where is None else Path(where)
    if not path.exists():
        raise InputError(f"{path}: no such model; name a file, or the folder of a run")
    if path.is_file() and chosen:
        raise InputError(
            f"{path} is one model: leave out {', '.join(chosen)}, which choose among the models of "
            "a run"
        )
    remedy = _remedy(path)
    if path.is_file() and read_identity(path, remedy).get("kind") == KIND:
        return load_model(path, device=device, remedy=remedy)
    # Imported here because what it takes, pandas and jsonschema, loads as long as a sound is heard.
    from l2i.systems.trained import choose, open_trained, trained_at

    return open_trained(
        trained_at(path) if path.is_file() else choose(path, **chosen), device=device
    )


def _remedy(path: Path) -> str:
    """What to do about a damaged file: only what a run has made does its command make again."""
    if path == SHIPPED:
        return "install l2i again"
    return REMAKE if path.absolute().match(IN_A_RUN) else HANDED_ON
