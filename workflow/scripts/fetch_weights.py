"""Download published classifier weights, verify them and convert them to safetensors."""

from pathlib import Path

from harness import perform

from l2i.classifier import from_audioset
from l2i.data.download import download
from l2i.weights import load_published, save_weights


def fetch_weights(path_to_weights: str, *, weights: dict, data: str) -> None:
    """Write the trunk's weights under our names."""
    pickle = Path(data) / "weights" / Path(weights["url"]).name
    pickle.parent.mkdir(parents=True, exist_ok=True)
    download(weights["url"], pickle, git_blob=weights["git_blob"])
    trunk = from_audioset(load_published(pickle))
    save_weights(path_to_weights, trunk, kind="trunk", git_blob=weights["git_blob"])


if __name__ == "__main__":
    perform(snakemake, fetch_weights)
