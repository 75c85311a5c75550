"""The installed command `l2i`: finds the packages that it consists of, and starts it.

In a clone they lie beside this one. Where the project is installed they lie in this one, so that
`cli`, `configuration` and `scripts` are names of nobody else's search path.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> None:
    """Run the command `l2i`; see `cli.main.main`."""
    here = Path(__file__).parent
    home = here if (here / "cli").is_dir() else here.parent
    if str(home) not in sys.path:
        sys.path.insert(0, str(home))
    from cli.main import main as run

    run()
