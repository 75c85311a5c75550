"""Where pages and measured tables lie, and how a page says which of its lines were typed."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
MEASURED = DOCS / "measured"
PAGES = (PROJECT / "README.md", DOCS / "results.md", DOCS / "measures.md", DOCS / "speed.md")
BLOCK = re.compile(r"(<!-- measured: (\w+) (\w+) -->\n).*?(<!-- /measured -->)", re.DOTALL)
BY_HAND = re.compile(r"<!-- by hand: (\w+) -->")
