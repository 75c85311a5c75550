"""Speed and memory against the bars, side by side in one run, as a Markdown report.

    make bench                       # synthetic clips
    make bench AUDIO=path/to/audio   # a folder of recordings, such as ESC-10's

The report says on which machine it was made: quote ratios, not seconds.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from pathlib import Path

import torch
from features import bench_features
from interpreter import bench_interpreter
from nmf import bench_nmf

from l2i.datasets.archive import unpack
from l2i.provenance.environments import installed_versions
from l2i.provenance.records import describe_host, utc_now
from l2i.runtime import has_bfloat16
from l2i.synthetic.esc50 import KINDS, write_esc50_archive

N_TRAINING_CLIPS, N_FEATURE_CLIPS = 320, 64
N_SYNTHETIC_CLIPS = 405  # enough frames for the NMF
PACKAGES = ("torch", "torchaudio", "librosa", "scikit-learn", "numpy", "numba")


def main(audio: Path | None, report: Path, n_clips: int, n_columns: int) -> None:
    """Run all benchmarks and write the report."""
    with tempfile.TemporaryDirectory() as folder:
        clips = audio or synthetic_clips(Path(folder))
        paths = sorted(clips.glob("*.*"))[:n_clips]
        rows = []
        for name, bench in {
            "features": lambda: bench_features(paths[:N_FEATURE_CLIPS]),
            "post-hoc training": lambda: bench_interpreter(paths),
            "sparse NMF": lambda: bench_nmf(clips, n_columns=n_columns),
        }.items():
            print(f"Measuring {name} ...", flush=True)
            rows += bench()
            print(table(rows), flush=True)
    source = f"{len(paths)} clips of {audio.parent.name if audio else 'synthetic sounds'}"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(page(rows, source), encoding="utf-8")
    print(f"Written to {report}")


def synthetic_clips(folder: Path) -> Path:
    """A folder of enough five-second clips."""
    archive = folder / "corpus.zip"
    write_esc50_archive(
        archive,
        n_folds=1,
        classes=list(KINDS),
        n_clips_per_fold_and_class=N_SYNTHETIC_CLIPS // len(KINDS),
        clip_seconds=5.0,
        sample_rate=44_100,
        seed=0,
    )
    unpack(archive, folder / "corpus", kind="zip")
    return folder / "corpus" / "audio"


def page(rows: list[dict], source: str) -> str:
    """The report: when, where, on what, and the table."""
    host, software = describe_host(), installed_versions(PACKAGES)
    versions = ", ".join(f"{name} {software[name]}" for name in PACKAGES if software[name])
    units = "with" if has_bfloat16("cpu") else "without"
    return (
        f"# Benchmark\n\n{utc_now()}, {source}.\n\n"
        f"- machine: {host['cpu']}, {host['n_cores']} cores, {units} bfloat16 units "
        f"({torch.backends.cpu.get_cpu_capability()}), "
        f"{host['memory_bytes'] / 2**30:.0f} GiB, {torch.get_num_threads()} threads\n"
        f"- software: Python {platform.python_version()}, {versions}\n\n{table(rows)}"
    )


def table(rows: list[dict]) -> str:
    """Markdown table of measured rows."""
    lines = ["| what | unit | ours | theirs | ratio | bar | met |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        cells = [text(row[key]) for key in ("ours", "theirs", "ratio", "bar")]
        met = {True: "yes", False: "**no**", None: ""}[row["met"]]
        lines.append(f"| {row['name']} | {row['unit']} | {' | '.join(cells)} | {met} |")
    return "\n".join(lines) + "\n"


def text(value: float | None) -> str:
    """A number with three significant digits, nothing for None."""
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python workflow/bench", description=__doc__)
    parser.add_argument("--audio", type=Path, help="folder of recordings; synthetic by default")
    parser.add_argument("--report", type=Path, default=Path("results/bench/report.md"))
    parser.add_argument("--clips", type=int, default=N_TRAINING_CLIPS, help="training clips")
    parser.add_argument("--columns", type=int, default=172_671, help="frames for the NMF")
    options = parser.parse_args()
    torch.set_flush_denormal(True)
    main(options.audio, options.report, options.clips, options.columns)
