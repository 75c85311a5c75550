"""Download published classifier weights, verify them and convert them to safetensors."""

from pathlib import Path

from harness import perform
from l2i.addresses import without_place, without_secrets
from l2i.datasets.download import download
from l2i.datasets.storage import one_at_a_time
from l2i.networks.classifier import from_audioset
from l2i.weights import load_published, save_weights


def fetch_weights(
    path_to_converted: str, *, git_blob: str, weights: str, data: str, urls: dict
) -> dict:
    """Write the trunk's weights under our names; fact: where they came from."""
    pickle = Path(data).expanduser() / "weights" / f"{weights}.pkl"
    with one_at_a_time(pickle):
        download(urls[weights], pickle, git_blob=git_blob)
    trunk = from_audioset(load_published(pickle))
    save_weights(path_to_converted, trunk, kind="trunk", git_blob=git_blob)
    return {"url": without_place(without_secrets(urls[weights]))}


if __name__ == "__main__":
    perform(snakemake, fetch_weights)
