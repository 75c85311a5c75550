"""Where the numbers of each table come from, as pages with a drawn graph."""

from collections.abc import Callable
from pathlib import Path

from harness import perform
from l2i.disk import write_text
from l2i.pages.accounts import account_of
from l2i.pages.provenance import provenance_page
from l2i.provenance.lineage import Lineage


def trace_tables(
    path_to_tables: list[str], path_to_pages: str, *, lineage_of: Callable[[str], Lineage]
) -> dict:
    """Write a page for each table."""
    folder = Path(path_to_pages)
    folder.mkdir()
    for path in path_to_tables:
        lineage = lineage_of(path)
        page = provenance_page(account_of(Path(path).name, lineage))
        write_text(folder / f"{Path(path).stem}.html", page)
    return {"n_pages": len(path_to_tables)}


if __name__ == "__main__":
    perform(snakemake, trace_tables)
