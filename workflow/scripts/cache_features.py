"""Compute the spectrograms of a data set once (Sec. IV-B.2)."""

from pathlib import Path

from harness import perform
from l2i.datasets.fold import front_end_of
from l2i.datasets.pieces import spans_of
from l2i.features.cache import cache_features as write_features
from l2i.tables import read_rows


def cache_features(
    path_to_index: str,
    path_to_log_magnitude: str,
    path_to_log_mel: str,
    *,
    features: dict,
    clip_seconds: float,
    dataset: str,
    data: str,
    device: str,
) -> dict:
    """Write log-magnitude and log-mel of every clip of the index; facts: frames and seconds."""
    index = read_rows(path_to_index, columns=("path", "sha256"))
    front_end, scale = front_end_of(features)
    n_samples = round(clip_seconds * front_end.sample_rate)
    write_features(
        [Path(data) / dataset / path for path in index["path"]],
        path_to_log_magnitude,
        path_to_log_mel,
        sha256=index["sha256"].tolist(),
        front_end=front_end,
        scale=scale,
        n_samples=n_samples,
        spans=spans_of(index),
        device=device,
    )
    return {"n_clips": len(index), "n_frames": front_end.n_frames(n_samples)}


if __name__ == "__main__":
    perform(snakemake, cache_features)
