"""How large the data of a configuration are, known before anything is fetched.

Of pinned downloads the numbers of clips are known; a corpus that nobody has pinned counts as the
largest of those that are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from configuration.layouts import layout_of_dataset
from configuration.reading import load_reference

N_FOLDS = 5  # where the pins do not say; one of them is for testing
SUBSETS = {"esc10": (400, 10)}  # clips and classes of a part of a corpus
N_CLASSES = 20  # as OpenMIC
PER_CLIP = 2  # classes decided for in a clip, where any number may be right


class Sizes(NamedTuple):
    """Of one data set; clips of one fold, frames of one clip."""

    n_clips: int
    n_train: int
    n_test: int
    n_classes: int
    n_decided: int  # classes decided for in a clip, about
    seconds: float  # of a clip
    n_frames: int
    n_bins: int
    n_mels: int

    @property
    def magnitude_bytes(self) -> int:
        """Log magnitudes of a clip, float32."""
        return 4 * self.n_frames * self.n_bins

    @property
    def mel_bytes(self) -> int:
        """Log-mel of a clip, float32."""
        return 4 * self.n_frames * self.n_mels


def sizes_of(config: dict[str, Any], dataset: str) -> Sizes:
    """Sizes of a data set under a configuration."""
    entry, features = config["datasets"][dataset], config["features"]
    n_clips, n_train, n_test, n_classes = _clips_of(config, dataset)
    seconds = entry["clip_seconds"]
    return Sizes(
        n_clips,
        n_train,
        n_test,
        n_classes,
        PER_CLIP if layout_of_dataset(config, dataset).multi_label else 1,
        seconds,
        1 + round(seconds * features["sample_rate"]) // features["hop_length"],
        1 + features["n_fft"] // 2,
        features["n_mels"],
    )


def _clips_of(config: dict[str, Any], dataset: str) -> tuple[int, int, int, int]:
    """Clips of a data set, those of them that train and that test in one fold, and classes."""
    entry, layout = config["datasets"][dataset], layout_of_dataset(config, dataset)
    if (subset := entry["corpus"].get("subset")) in SUBSETS:
        n_clips, n_classes = SUBSETS[subset]
        return n_clips, n_clips - n_clips // N_FOLDS, n_clips // N_FOLDS, n_classes
    corpora = load_reference("downloads")["corpora"]
    pins = corpora.get(entry["download"])
    if pins is None:
        pins = max(corpora.values(), key=lambda each: each["n_clips"])
    n_clips = pins["n_clips"]
    if (split := pins.get("n_clips_per_split")) is not None:
        return n_clips, split["train"], split["test"], layout.n_classes or N_CLASSES
    n_test, in_fold = n_clips // N_FOLDS, pins.get("n_clips_per_fold_and_class")
    n_classes = n_clips // (N_FOLDS * in_fold) if in_fold else N_CLASSES
    return n_clips, n_clips - n_test, n_test, n_classes
