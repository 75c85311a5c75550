"""What mkdocs calls while it builds the site; all of it stands in workflow/documentation."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow"))

from documentation.site import on_files, on_page_markdown

__all__ = ["on_files", "on_page_markdown"]
