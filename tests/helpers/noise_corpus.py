"""A corpus of noises, one class a clip: six to test, of three classes, and two to train on."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.io import wavfile

from l2i.datasets.fold import Fold
from l2i.features.cache import compute_features
from l2i.features.spectral import FrontEnd
from l2i.hashing import file_sha256
from l2i.training.task import Recordings

RATE = 8000
FRONT_END = FrontEnd(sample_rate=RATE, n_fft=64, hop_length=32, n_mels=128, mel_power=1)
LABELS = [0, 0, 1, 1, 2, 2, 0, 1]


def make_fold(folder, silent=(), lengths=RATE // 10, **options):
    """Write the corpus, `silent` clips of it being silent, and open its only fold."""
    (folder / "corpus").mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    names = [f"clip {i}" for i in range(len(LABELS))]
    for i, name in enumerate(names):
        n_samples = lengths if isinstance(lengths, int) else lengths[i]
        x = rng.uniform(-0.5, 0.5, n_samples) * (i not in silent)
        wavfile.write(folder / "corpus" / f"{name}.wav", RATE, x.astype(np.float32))
    paths = [f"{name}.wav" for name in names]
    index = pd.DataFrame({"clip": names, "path": paths, "source": names, "label": LABELS})
    index["fold"] = [1] * 6 + [2] * 2
    index["sha256"] = [file_sha256(folder / "corpus" / path) for path in paths]
    said = {"front_end": FRONT_END, "waveform_scale": "absolute"} | options
    return Fold(dataset="corpus", name="1", index=index, classes=list("abc"), **said)


def recordings_of(folder, classifier=None, seconds=0.512, **options):
    """The corpus, by default just as long as the classifier needs, with its features."""
    fold = make_fold(folder, **{"lengths": round(seconds * RATE)} | options)
    waveforms = [fold.waveform(str(folder), row, seconds) for row in fold.index.index]
    features = [compute_features(fold.front_end, x) for x in waveforms]
    X, M = (np.stack([each.numpy() for each in part]) for part in zip(*features, strict=True))
    return Recordings(
        fold=fold,
        log_mel=M,
        log_magnitude=X,
        data=str(folder),
        clip_seconds=seconds,
        device="cpu",
        classifier=classifier,
    )
