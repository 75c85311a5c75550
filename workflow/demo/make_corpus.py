"""Make the archive that the demo downloads: python workflow/demo/make_corpus.py FOLDER."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # to run before anything is installed

from l2i.synthetic import KINDS, write_esc50_archive  # noqa: E402


def make_demo_corpus(folder: str | Path) -> dict:
    """Write `folder`/esc50.zip: 60 clips of 2 s, 2 folds, 5 classes.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist.

    Returns
    -------
    dict
        What `datasets.esc50.download` of `config/demo.yaml` must say of the archive.
    """
    return write_esc50_archive(
        Path(folder) / "esc50.zip",
        n_folds=2,
        classes=list(KINDS),
        n_clips_per_fold_and_class=6,
        clip_seconds=2.0,
        sample_rate=44_100,
        seed=0,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where esc50.zip is written")
    for fact, value in make_demo_corpus(parser.parse_args().folder).items():
        print(f"{fact}: {value}")
