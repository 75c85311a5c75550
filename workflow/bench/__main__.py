"""Speed and memory against the bars, side by side in one run, as a report.

    make bench                             # all but the demo, on synthetic clips
    make bench AUDIO=path/to/audio         # on a folder of recordings, such as ESC-10's
    python workflow/bench --only nmf,tables
    python workflow/bench --demo           # the demo beside that of an older commit, too

Writes report.md and report.json, which say on which machine they were made, and what else it did
meanwhile: quote ratios, not seconds. A missed bar is no error, unless --strict is given.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# This checkout is what is measured, whichever is installed; processes of parts inherit it.
sys.path.insert(1, str(PROJECT / "workflow"))

from parts import PARTS, chosen_parts

from documentation.speed import report_page
from l2i.checks import InputError
from l2i.disk import replace_text

BEFORE = "a1932a2"  # the demo of this commit is what today's is compared with


def main(arguments: list[str] | None = None) -> None:
    """Measure what was asked for and write the report."""
    given = _parser().parse_args(arguments)
    try:
        parts = chosen_parts(given.only, demo=given.demo)
        if given.audio and not given.audio.is_dir():
            raise InputError(f"--audio {given.audio} is no folder: name one of recordings")
    except InputError as error:
        sys.exit(f"error: {error}")
    from measuring import in_short, measured, missed  # loads torch

    report = measured(
        parts,
        audio=given.audio,
        commit=given.commit,
        tiny=given.tiny,
        say=lambda line: print(line, flush=True),
        done=lambda part: print(in_short(part), flush=True),
    )
    given.report.mkdir(parents=True, exist_ok=True)
    replace_text(given.report / "report.json", json.dumps(report, indent=1) + "\n")
    replace_text(given.report / "report.md", report_page(report))
    print(f"Written to {given.report / 'report.md'}, with the same as report.json")
    if given.strict and (names := missed(report)):
        sys.exit(f"{len(names)} bars were missed: {', '.join(names)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python workflow/bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--audio", type=Path, help="folder of recordings; synthetic by default")
    parser.add_argument(
        "--report",
        type=Path,
        default=PROJECT / "results" / "bench",
        help="folder of the report (%(default)s)",
    )
    parser.add_argument(
        "--only", type=lambda text: text.split(","), metavar="PART,...", help=", ".join(PARTS)
    )
    parser.add_argument(
        "--demo", action="store_true", help="the demo beside an older one, in about 25 minutes"
    )
    parser.add_argument("--commit", default=BEFORE, help="of the older demo (%(default)s)")
    parser.add_argument(
        "--tiny", action="store_true", help="sizes that only show that all parts work"
    )
    parser.add_argument("--strict", action="store_true", help="fail where a bar is missed")
    return parser


if __name__ == "__main__":
    main()
