"""`python -m documentation`: what is written of runs and packages into the pages."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import documentation
from documentation import licences, reference_page, speed
from documentation.places import PAGES
from documentation.printing import printed
from documentation.taking import take
from l2i.checks import InputError


def main() -> None:
    """Do one of the things that `documentation` lists."""
    parser = argparse.ArgumentParser(
        prog="python -m documentation",
        description=documentation.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    of_take = commands.add_parser("take", help="copy tables and facts of a run to docs/measured")
    of_take.add_argument("results", type=Path, help="results/{name}, or results/bench")
    of_take.add_argument("--command", help="that made them, if it was not the usual one")
    of_take.add_argument("--commit", help="where the records know none, as outside of git")
    of_take.add_argument("--note", help="a sentence that readers of the numbers must know")
    commands.add_parser("print", help="rewrite the blocks of the pages")
    commands.add_parser("reference", help="rewrite config/README.md, by schema and config.yaml")
    of_costs = commands.add_parser("costs", help="fit workflow/reference/costs.yaml to runs")
    of_costs.add_argument(
        "runs", type=Path, nargs="*", help="results/{name}; none: rewrite the page"
    )
    of_costs.add_argument(
        "--trials",
        action="store_true",
        help="take the trials anew, on a machine that does nothing else; else those kept stay",
    )
    commands.add_parser("licences", help="rewrite docs/licences.md, by what is installed")
    of_draw = commands.add_parser("draw", help="draw docs/interpretation.png anew")
    of_draw.add_argument("folder", type=Path, help="of one interpreted class of one clip")
    given = vars(parser.parse_args())
    does: dict[str, Callable[..., None]] = {
        "take": _take,
        "print": _print,
        "reference": _refer,
        "costs": _cost,
        "licences": _list_licences,
        "draw": _draw,
    }
    try:
        does[given.pop("what")](**given)
    except InputError as error:
        sys.exit(f"error: {error}")


def _take(results: Path, **given: Any) -> None:
    is_speed = (results / speed.FILE).is_file()
    print(speed.take_report(results) if is_speed else take(results, **given))


def _print() -> None:
    for page in PAGES:
        page.write_text(printed(page.read_text("utf-8")), encoding="utf-8")


def _refer() -> None:
    reference_page.PAGE.write_text(reference_page.reference_page(), encoding="utf-8")


def _cost(runs: list[Path], trials: bool) -> None:
    from documentation import cost_records, costs_page  # takes seconds

    if trials and not runs:
        raise InputError("--trials without runs: name those that costs are fitted to")
    if runs:
        cost_records.write_costs(runs, anew=trials)
    costs_page.PAGE.write_text(costs_page.page(), encoding="utf-8")


def _list_licences() -> None:
    licences.PAGE.write_text(licences.page(licences.rows()), encoding="utf-8")


def _draw(folder: Path) -> None:
    from documentation.interpretation import draw_interpretation  # takes seconds

    draw_interpretation(folder)


if __name__ == "__main__":
    main()
