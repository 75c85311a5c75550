"""Hold what is configured for a corpus against its clips and classes, before any training."""

from harness import perform
from l2i.checks import raise_all
from l2i.datasets.fitting import misfits
from l2i.disk import write_text
from l2i.stored import read_json
from l2i.tables import read_rows


def check_dataset(
    path_to_index: str, path_to_classes: str, path_to_checked: str, *, asked: dict, dataset: str
) -> None:
    """Refuse names and numbers that the corpus does not have."""
    classes = read_json(path_to_classes, list)
    raise_all(
        misfits(read_rows(path_to_index), classes, asked, dataset),
        f"configuration (config.yaml and its overlays), of the corpus {dataset}",
    )
    write_text(path_to_checked, '{"fits": true}\n')


if __name__ == "__main__":
    perform(snakemake, check_dataset)
