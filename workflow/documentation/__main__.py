"""`python -m documentation`: the tables of a run into docs/measured, and from there into pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import documentation
from documentation.places import PAGES
from documentation.printing import printed
from documentation.taking import take
from l2i.checks import InputError


def main() -> None:
    """Take the tables of a run, or print those that were taken."""
    parser = argparse.ArgumentParser(
        prog="python -m documentation",
        description=documentation.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="what", required=True)
    of_take = commands.add_parser("take", help="copy tables and facts of a run to docs/measured")
    of_take.add_argument("results", type=Path, help="results/{name}, with its records")
    of_take.add_argument("--command", help="that made them, if it was not the usual one")
    of_take.add_argument("--commit", help="where the records know none, as outside of git")
    of_take.add_argument("--note", help="a sentence that readers of the numbers must know")
    commands.add_parser("print", help="rewrite the blocks of the pages")
    given = vars(parser.parse_args())
    try:
        if given.pop("what") == "take":
            print(take(**given))
        else:
            for page in PAGES:
                page.write_text(printed(page.read_text("utf-8")), encoding="utf-8")
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
