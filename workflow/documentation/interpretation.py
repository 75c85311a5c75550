"""One interpreted decision of a run, from its sounds, as docs/how shows it."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib
import numpy as np
import soundfile
import torch
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from documentation.places import DOCS
from l2i.features.spectral import FrontEnd

PICTURE = DOCS / "interpretation.png"
N_COMPONENTS = 2  # most relevant first
FLOOR_DB = -70.0  # re the loudest bin of the input


def draw_interpretation(folder: Path) -> None:
    """Draw the input, the most relevant components, the interpretation and the remainder.

    Parameters
    ----------
    folder : Path
        Of one interpreted class of one clip, below `results/{name}/listening`.
    """
    about = json.loads((folder / "interpretation.json").read_text(encoding="utf-8"))
    components = sorted(
        (name for name in about["sounds"] if name.startswith("component_")),
        key=lambda name: -about["sounds"][name]["relevance"],
    )
    parts = {"input": folder.parent / "input.wav"}
    for name in components[:N_COMPONENTS]:
        relevance = about["sounds"][name]["relevance"]
        title = f"component {int(name[-3:])}, relevance {relevance:.2f}"
        parts[title] = folder / f"{name}.wav"
    parts[f"interpretation: all {len(components)} relevant"] = folder / "interpretation.wav"
    parts["remainder"] = folder / "remainder.wav"

    matplotlib.use("Agg")
    matplotlib.rcParams.update({"font.size": 8, "axes.titlesize": 8})
    figure = Figure(figsize=(10, 2.2), layout="constrained", dpi=150)
    axes = figure.subplots(1, len(parts), sharey=True)
    loudest = None
    for ax, (title, path) in zip(axes, parts.items(), strict=True):
        power, seconds, front_end = spectrogram(path)
        loudest = power.max() if loudest is None else loudest
        level = 10 * np.log10(np.maximum(power / loudest, 10 ** (FLOOR_DB / 10)))
        image = draw(ax, level, seconds, front_end)
        ax.set_title(title)
    axes[0].set_ylabel("frequency (kHz)")
    figure.colorbar(image, ax=axes, label="level (dB re loudest)", pad=0.01)
    decided = about["interpreted_class"].replace("_", " ")
    whose = "classifier" if "classifier_probabilities" in about else "interpreter"
    probability = about[f"{whose}_probabilities"][about["interpreted_class"]]
    figure.supxlabel(f"time (s); the {whose} hears: {decided}, probability {probability:.2f}")
    figure.savefig(PICTURE)


def spectrogram(path: Path) -> tuple[np.ndarray, float, FrontEnd]:
    """Power (n_bins, n_frames) of a sound, its seconds, and the front end that gave it."""
    x, rate = soundfile.read(path, dtype="float32")
    front_end = FrontEnd(sample_rate=rate, n_fft=1024, hop_length=512, n_mels=128, mel_power=2)
    return front_end.stft(torch.from_numpy(x)).abs().square().numpy(), len(x) / rate, front_end


def draw(ax: Axes, level: np.ndarray, seconds: float, front_end: FrontEnd) -> QuadMesh:
    """Draw a spectrogram in dB with frequencies on a scale that leaves room for low ones."""
    khz = np.linspace(0, front_end.sample_rate / 2000, len(level))
    time = np.linspace(0, seconds, level.shape[1])
    image = ax.pcolormesh(time, khz, level, vmin=FLOOR_DB, vmax=0, cmap="magma", rasterized=True)
    ax.set_yscale("symlog", linthresh=1, linscale=0.8)
    ax.set_yticks([0, 0.5, 1, 2, 5, 10, 20], ["0", "0.5", "1", "2", "5", "10", "20"])
    ax.set_ylim(0, 20)
    return image
