"""A synthetic corpus in the layout of SONYC-UST: street sounds in any mixture, over noise.

Annotators behave as the genuine ones: volunteers miss sounds, members of the team look at one
class a row, and what they agreed upon comes at the end of the table. Of the genuine data set only
the taxonomy is used: M. Cartwright et al., "SONYC-UST-V2: An Urban Sound Tagging Dataset with
Spatiotemporal Context", DCASE Workshop 2020, https://doi.org/10.5281/zenodo.3966543, CC BY 4.0.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.random import Generator

from l2i.synthetic.packing import csv_bytes, file_facts, wav_bytes, write_tar_gz
from l2i.synthetic.planning import deal, n_sounds, scattered
from l2i.synthetic.sounds import band_noise, generator, log_uniform, unit
from l2i.synthetic.urban import KINDS

PLACE = ("year", "week", "day", "hour", "borough", "block", "latitude", "longitude")
HEAD = ("split", "sensor_id", "audio_filename", "annotator_id", *PLACE)
N_SENSORS = {"train": 12, "validate": 4, "test": 16}
FIRST_SENSOR = {"train": 0, "validate": 40, "test": 0}  # those of validation are met nowhere else
PROXIMITIES = ("near", "far", "notsure")
BACKGROUND = 0.08  # peak of the noise, where the loudest sound has 1
P_MISS = 0.25  # that a volunteer does not notice a sound; one of the three notices all


def write_sonyc_files(
    folder: str | Path,
    *,
    taxonomy: str | Path,
    n_clips: Mapping[str, int],
    n_shards: int,
    clip_seconds: float,
    sample_rate: int,
    seed: int,
) -> dict:
    """Write the files of a release of SONYC-UST; equal arguments give equal bytes.

    Every sixth clip holds noise and nothing else. The last two clips of the split train are the
    same recording. Test clips, most validation clips and every eighth training clip have labels
    that the team agreed upon.

    Parameters
    ----------
    folder : str or Path
        Gets annotations.csv, dcase-ust-taxonomy.yaml and audio-0.tar.gz to
        audio-{n_shards - 1}.tar.gz, all splits scattered over these.
    taxonomy : str or Path
        The genuine dcase-ust-taxonomy.yaml, which is copied and gives the columns.
    n_clips : mapping of str to int
        Of the splits train, validate and test; about 12 or more of each, to have each class.
    n_shards : int
    clip_seconds : float
        At least 1.
    sample_rate : int
        In Hz; the sounds reach to 10 kHz.
    seed : int

    Returns
    -------
    dict
        The facts by which a configuration pins the download: files (name, size_bytes, md5, sha256
        of each), n_clips, n_clips_per_split, n_samples.
    """
    folder, n_samples = Path(folder), round(clip_seconds * sample_rate)
    folder.mkdir(parents=True, exist_ok=True)
    names = yaml.safe_load(Path(taxonomy).read_text(encoding="utf-8"))
    fine = {f"{c}-{f}_{name}": c for c, group in names["fine"].items() for f, name in group.items()}
    coarse = {c: f"{c}_{name}" for c, name in names["coarse"].items()}
    clips = _plan(n_clips, fine, seed)
    shards: list[dict[str, bytes]] = [{} for _ in range(n_shards)]
    for i, clip in enumerate(clips):
        x = _mixture(clip["classes"], generator(seed, 1, clip["recording"]), n_samples, sample_rate)
        name = f"audio-{i % n_shards}/{clip['row']['audio_filename']}"
        shards[i % n_shards][name] = wav_bytes(x, sample_rate)
    for k, members in enumerate(shards):
        write_tar_gz(folder / f"audio-{k}.tar.gz", members)
    presences = [f"{name}_presence" for name in fine]
    columns = [*HEAD, *presences, *(f"{name}_proximity" for name in fine)]
    columns += [f"{name}_presence" for name in coarse.values()]
    rows = _annotations(clips, fine, coarse, seed)
    (folder / "annotations.csv").write_bytes(csv_bytes(rows, columns))
    shutil.copyfile(taxonomy, folder / "dcase-ust-taxonomy.yaml")
    audio = [f"audio-{k}.tar.gz" for k in range(n_shards)]
    files = ["annotations.csv", "dcase-ust-taxonomy.yaml", *audio]
    return {
        "files": [file_facts(folder / name) for name in files],
        "n_clips": len(clips),
        "n_clips_per_split": dict(n_clips),
        "n_samples": n_samples,
    }


def _plan(n_clips: Mapping[str, int], fine: dict[str, int], seed: int) -> list[dict]:
    """Decide on what each clip is: what sounds, what its rows begin with, who annotates it."""
    hands = {
        split: deal(list(KINDS), n_sounds(n), generator(seed, 0, k))
        for k, (split, n) in enumerate(n_clips.items())
    }
    clips: list[dict[str, Any]] = []
    for number, (split, i) in enumerate(scattered(n_clips)):
        is_copy = split == "train" and i == n_clips["train"] - 1
        source = next(c for c in clips if c["id"] == ("train", i - 1)) if is_copy else None
        classes = source["classes"] if source else hands[split][i]
        clips.append(
            {
                "id": (split, i),
                "recording": source["recording"] if source else number,
                "classes": classes,
                "fine": source["fine"] if source else _finer(classes, fine, seed, number),
                "row": _head(split, i - 1 if is_copy else i, number),
                "is_agreed": split == "test" or (i % 8 == 0 if split == "train" else i % 8 != 5),
            }
        )
    return clips


def _finer(classes: list[str], fine: dict[str, int], seed: int, number: int) -> set[str]:
    """Draw one fine class for each coarse one; some are the X that stands for no known one."""
    rng, chosen = generator(seed, 2, number), set()
    for name in classes:
        group = [f for f, c in fine.items() if c == 1 + list(KINDS).index(name)]
        chosen.add(group[int(len(group) * rng.random())])
    return chosen


def _head(split: str, i: int, number: int) -> dict:
    sensor = FIRST_SENSOR[split] + i % N_SENSORS[split]
    when = (2016 + sensor % 4, 1 + 7 * number % 52, number % 7, 5 * number % 24)
    where = ((1, 3, 4)[sensor % 3], 540 + sensor, 40.7 + sensor / 1000, -73.9 - sensor / 1000)
    place = dict(zip(PLACE, (*when, *(round(w, 3) for w in where)), strict=True))
    name = f"{sensor:02d}_{1000 + 7 * number:06d}.wav"
    return {"split": split, "sensor_id": sensor, "audio_filename": name, **place}


def _mixture(classes: list[str], rng: Generator, n_samples: int, sample_rate: int) -> np.ndarray:
    t = np.arange(n_samples) / sample_rate
    x = BACKGROUND * unit(band_noise(n_samples, t[1], rng, 200, 3.0))
    for name in classes:
        x += log_uniform(rng, 0.4, 1.0) * KINDS[name](t, rng)
    return unit(x) * log_uniform(rng, 0.15, 0.9)


def _annotations(
    clips: list[dict], fine: dict[str, int], coarse: dict[int, str], seed: int
) -> Iterator[dict]:
    agreed = []
    for number, clip in enumerate(clips):
        rng = generator(seed, 3, number)
        for k in range(3):
            is_attentive = k == number % 3
            heard = {f for f in sorted(clip["fine"]) if is_attentive or rng.random() > P_MISS}
            row = {**clip["row"], "annotator_id": 1 + (5 * number + 11 * k) % 97}
            yield {**row, **_cells(heard, set(coarse), fine, coarse, rng)}
        if clip["is_agreed"]:
            # Two members share the classes; each of their rows is about one of them.
            for c in coarse:
                row = {**clip["row"], "annotator_id": -1 - (number + c % 2) % 5}
                yield {**row, **_cells(clip["fine"], {c}, fine, coarse)}
            row = {**clip["row"], "annotator_id": 0}
            agreed.append({**row, **_cells(clip["fine"], set(coarse), fine, coarse)})
    yield from agreed


def _cells(
    heard: set[str],
    looked_at: set[int],
    fine: dict[str, int],
    coarse: dict[int, str],
    rng: Generator | None = None,
) -> dict:
    """Return the cells of one annotation; -1 stands for what nobody looked at or asked for."""
    cells: dict[str, int | str] = {}
    for name, c in fine.items():
        cells[f"{name}_presence"] = int(name in heard) if c in looked_at else -1
        near = "-1"
        if rng is not None and name in heard:  # only volunteers say how near
            near = PROXIMITIES[int(3 * rng.random())]
        cells[f"{name}_proximity"] = near
    for c, name in coarse.items():
        found = int(any(fine[f] == c for f in heard))
        cells[f"{name}_presence"] = found if c in looked_at else -1
    return cells
