"""Make the corpora that the demo downloads: python workflow/demo/make_corpus.py FOLDER.

With --pins it prints how workflow/reference/downloads.yaml must pin them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

WORKFLOW = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(WORKFLOW))  # to run before anything is installed

from l2i.synthetic.esc50 import KINDS, write_esc50_archive  # noqa: E402
from l2i.synthetic.openmic import write_openmic_archive  # noqa: E402
from l2i.synthetic.sonyc import write_sonyc_files  # noqa: E402

TAXONOMY = WORKFLOW / "reference" / "dcase-ust-taxonomy.yaml"


def make_demo_corpora(folder: str | Path) -> dict[str, dict]:
    """Write three corpora as their publishers pack them.

    `folder`/esc50.zip (60 clips, 2 folds, 5 classes), `folder`/sonyc_ust/ (88 clips, 8 classes, two
    shards) and `folder`/openmic-2018-v1.0.0.tgz (84 clips, 20 classes). All clips are hardly longer
    than the shortest that the networks hear, 128 frames.

    Parameters
    ----------
    folder : str or Path
        Made where it does not exist.

    Returns
    -------
    dict
        Pins by data set: `corpora.synthetic_<data set>` of `workflow/reference/downloads.yaml`, but
        for its address.
    """
    folder = Path(folder)
    return {
        "esc50": write_esc50_archive(
            folder / "esc50.zip",
            n_folds=2,
            classes=list(KINDS),
            n_clips_per_fold_and_class=6,
            clip_seconds=1.5,
            sample_rate=44_100,
            seed=0,
        ),
        "sonyc_ust": write_sonyc_files(
            folder / "sonyc_ust",
            taxonomy=TAXONOMY,
            n_clips={"train": 48, "validate": 16, "test": 24},
            n_shards=2,
            clip_seconds=1.5,
            sample_rate=48_000,
            seed=0,
        ),
        "openmic": write_openmic_archive(
            folder / "openmic-2018-v1.0.0.tgz",
            n_clips={"train": 60, "test": 24},
            n_observed=8,
            clip_seconds=1.5,
            sample_rate=44_100,
            seed=0,
        ),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", help="where the corpora are written")
    parser.add_argument("--pins", action="store_true", help="print how they must be pinned")
    arguments = parser.parse_args()
    pins = make_demo_corpora(arguments.folder)
    if arguments.pins:
        downloads = {f"synthetic_{name}": facts for name, facts in pins.items()}
        print(yaml.safe_dump({"corpora": downloads}, sort_keys=False), end="")
    else:
        print(f"The demo's corpora, made of code, are in {arguments.folder}.")
