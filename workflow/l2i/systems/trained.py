"""Trained interpreters of a run, found by what their files say, as models of any sound.

A run is a folder that the workflow wrote, or a copy of one. What lies in it with a digest or a
record is held to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from l2i.checks import REMAKE, InputError
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.interpretation.explained import Explaining
from l2i.interpretation.model import Model
from l2i.networks.stored_classifier import load_classifier
from l2i.provenance.currency import KnownRecords, require_untouched
from l2i.provenance.digests import digest_path, require_digest
from l2i.provenance.runs import NOTES
from l2i.stored import read_json
from l2i.systems.loading import KIND, load_system, system_module
from l2i.weights import classes_hash, read_identity

FILE = "model.safetensors"
CHOICES = ("dataset", "fold", "system", "run")
FRONT_END = [each.name for each in fields(FrontEnd)]
OF_FOLD = [
    *("dataset", "fold", "classes_sha256", "train_clips_sha256", "waveform_scale"),
    *FRONT_END,
]
SAID = {*OF_FOLD, "module", "system", "run", "classifier_sha256", "architecture"}
# Where a run no longer says how it listens: what the paper does.
THRESHOLD, RELEVANCE_SCALE = 0.1, "absolute"


@dataclass(frozen=True)
class Trained:
    """The file of a trained system in a run, and what it says of itself."""

    path: Path
    identity: Mapping[str, Any]

    @property
    def run_folder(self) -> Path:
        """Folder of the run: above systems/{dataset}/fold{fold}/{system}/{variant}/run{run}."""
        return self.path.absolute().parents[6]

    @property
    def explains(self) -> bool:
        """Whether it turns decisions into sound."""
        measures = getattr(system_module(self.identity["module"]), "MEASURES", [])
        return "sounds" in measures


def trained_of(folder: Path) -> Iterator[Trained]:
    """The systems of a run, those of ablations left out."""
    for path in sorted(folder.glob(f"systems/*/fold*/*/default/run*/{FILE}")):
        yield trained_at(path)


def trained_at(path: Path) -> Trained:
    """The trained system in a file.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    identity = read_identity(path)
    if identity.get("kind") != KIND:
        raise InputError(
            f"{path} holds no model that explains sounds, but a {identity.get('kind', 'mystery')}: "
            "name the file of a model, or the folder of a run"
        )
    if missing := SAID - {*identity}:
        raise InputError(f"{path} does not say its {', '.join(sorted(missing))}; {REMAKE}")
    return Trained(path, identity)


def choose(folder: Path, **wanted: str) -> Trained:
    """The one interpreter of a run that has what is wanted: dataset, fold, system, run.

    Raises
    ------
    InputError
        There is none, or several: says which there are.
    """
    all_of_them = [trained for trained in trained_of(folder) if trained.explains]
    if not all_of_them:
        raise InputError(
            f"{folder} holds no trained interpreter that sounds can be made of: name the folder of "
            "a run with one, such as results/esc10, or the file of a model"
        )
    found = [
        trained
        for trained in all_of_them
        if all(trained.identity[key] == value for key, value in wanted.items())
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        asked = ", ".join(f"{key} {value}" for key, value in wanted.items())
        raise InputError(f"{folder} holds no interpreter of {asked}: it has {_listed(all_of_them)}")
    raise InputError(
        f"{folder} holds {len(found)} interpreters; say which by what differs: {_listed(found)}"
    )


def _listed(trained: Sequence[Trained]) -> str:
    """What there is to choose from, of what is not the same for all."""
    values = {key: sorted({each.identity[key] for each in trained}) for key in CHOICES}
    differing = {key: each for key, each in values.items() if len(each) > 1} or values
    return "; ".join(f"{key} {', '.join(each)}" for key, each in differing.items())


def open_trained(trained: Trained, *, device: str = "cpu") -> Model:
    """The model of a trained interpreter: network, classifier, classes, and how its run listens.

    Raises
    ------
    InputError
        If a file is missing, damaged, changed since it was made, or belongs to something else.
    """
    identity, folder = trained.identity, trained.run_folder
    if not trained.explains:
        raise InputError(
            f"{trained.path} is of module {identity['module']}, which makes no sounds of decisions"
        )
    of_fold = {key: identity[key] for key in OF_FOLD}
    _require_untouched(trained.path)
    network = cast(
        Explaining, load_system(trained.path, module=identity["module"], device=device, **of_fold)
    )
    classifier = None
    if identity["classifier_sha256"] is not None:
        path = folder / "classifier" / identity["dataset"] / f"fold{identity['fold']}" / FILE
        if _require_untouched(path) != identity["classifier_sha256"]:
            raise InputError(
                f"{trained.path} explains another classifier than {path}, which was trained anew: "
                f"{REMAKE}"
            )
        classifier = load_classifier(path, device=device, **of_fold)
    configuration = _configuration(folder)
    listening = {"threshold": THRESHOLD, **configuration.get("listening", {})}
    evaluation = {"relevance_scale": RELEVANCE_SCALE, **configuration.get("evaluation", {})}
    return Model(
        explained=network.explained(classifier, relevance_scale=evaluation["relevance_scale"]),
        front_end=FrontEnd(**{key: identity[key] for key in FRONT_END}),
        classes=_classes(folder, identity),
        waveform_scale=identity["waveform_scale"],
        clip_seconds=_clip_seconds(trained, configuration),
        threshold=listening["threshold"],
        card=_card(identity, configuration),
    )


def _require_untouched(path: Path) -> str:
    """The sha256 of a file of a run, held to its digest and its record where it has them."""
    if not path.is_file():
        raise InputError(f"{path} is missing: give your command again, which makes it anew")
    sha256, known = file_sha256(path), KnownRecords()
    if digest_path(path).exists():
        require_digest(path, sha256)
    if known.of(str(path)) is not None:
        require_untouched(str(path), sha256, known)
    return sha256


def _configuration(folder: Path) -> dict[str, Any]:
    path = folder / NOTES / "configuration.json"
    return read_json(path, dict) if path.exists() else {}


def _classes(folder: Path, identity: Mapping[str, Any]) -> list[str]:
    path = folder / "datasets" / identity["dataset"] / "classes.json"
    classes = read_json(path, list)
    if classes_hash(classes) != identity["classes_sha256"]:
        raise InputError(f"{path} lists other classes than the model was trained on; {REMAKE}")
    return classes


def _clip_seconds(trained: Trained, configuration: Mapping[str, Any]) -> float:
    record = KnownRecords().of(str(trained.path)) or {}
    of_dataset = configuration.get("datasets", {}).get(trained.identity["dataset"], {})
    for said in (record.get("settings", {}), of_dataset):
        if "clip_seconds" in said:
            return float(said["clip_seconds"])
    raise InputError(
        f"neither the record of {trained.path} nor {NOTES}/configuration.json of its run says how "
        "long its clips are (clip_seconds): copy either along"
    )


def _card(identity: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Where a model comes from, with the titles that its run prints."""
    titles = {
        key: configuration.get(f"{key}s", {}).get(identity[key], {}).get("title", identity[key])
        for key in ("system", "dataset")
    }
    name = {"name": configuration["name"]} if "name" in configuration else {}
    return {**titles, "fold": identity["fold"], "run": identity["run"], **name}
