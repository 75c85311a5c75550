"""The first page of a run: how it stands to the paper, and the way to all that it made."""

import os
from collections.abc import Callable
from pathlib import Path

from harness import perform
from l2i.disk import write_text
from l2i.names import TITLES
from l2i.pages.highlights import highlight_of
from l2i.pages.index import Data, Page, Result, Run, Shown, index_page
from l2i.reporting.costs import spent
from l2i.reporting.standing import beside_the_papers, not_measured, printed_numbers
from l2i.tables import read_rows

FIGURE = "figure_"  # how names of figures begin
CONFIGURATION = ".run/configuration.json"  # what a run's configuration came to, see note_run


def compose_index(
    path_to_tables: list[str],
    path_to_drawn: list[str],
    path_to_provenance: list[str],
    path_to_pages: list[str],
    path_to_page: str,
    *,
    record_of: Callable[[str], dict],
    run: dict,
    titles: dict[str, str],
    captions: list[dict],
    printed: list[dict],
    pages: list[dict],
) -> None:
    """Write the page.

    Parameters
    ----------
    path_to_tables, path_to_drawn : list of str
        All files of all tables, and of all figures.
    path_to_provenance : list of str
        Folders with pages of tables.
    path_to_pages : list of str
        Other pages, or folders of them.
    path_to_page : str
        In the folder of the run.
    record_of : callable
        The record of a table: which code made it.
    run : dict
        name, datasets (title, of_paper, comparable), systems, folds, seeds.
    titles : dict
        Of systems and data sets, by name.
    captions : list of dict
        name, title and text of tables and figures, in the order of the page: of those of this run,
        and of the others of the paper.
    printed : list of dict
        The numbers that the paper measures and prints.
    pages : list of dict
        What each of `path_to_pages` is called: title, about.
    """
    root = Path(path_to_page).parent
    traced = [page for folder in path_to_provenance for page in Path(folder).glob("*.html")]
    addresses = [os.path.relpath(path, root) for path in [*path_to_tables, *path_to_drawn]]
    origins = {page.stem: os.path.relpath(page, root) for page in traced}
    numbers = {Path(p).stem: read_rows(p) for p in path_to_tables if p.endswith(".csv")}
    said = {name: highlight_of(rows, TITLES | titles) for name, rows in numbers.items()}
    everything = [_shown(addresses, origins, said, **each) for each in captions]
    beside = beside_the_papers(rows for name, rows in numbers.items() if "verdict" in rows)
    of_paper = printed_numbers(printed)
    html = index_page(
        _run(run, titles, _commits(record_of, path_to_tables)),
        Result(beside, not_measured(of_paper, beside), len(of_paper), spent(numbers["cost"])),
        tables=[shown for shown in everything if shown.files and not _is_figure(shown)],
        figures=[shown for shown in everything if shown.files and _is_figure(shown)],
        left_out=[shown for shown in everything if not shown.files],
        pages=[
            Page(address=_page_of(path, root), **each)
            for path, each in zip(path_to_pages, pages, strict=True)
        ],
    )
    write_text(path_to_page, html)


def _shown(
    addresses: list[str],
    origins: dict[str, str],
    highlights: dict[str, str],
    name: str,
    title: str,
    text: str,
) -> Shown:
    """A table or figure with the addresses of its files."""
    files = {Path(each).suffix[1:]: each for each in addresses if Path(each).stem == name}
    return Shown(
        name, title, text.split("\n\n"), files, origins.get(name), highlights.get(name, "")
    )


def _is_figure(shown: Shown) -> bool:
    return shown.name.startswith(FIGURE)


def _run(run: dict, titles: dict[str, str], commits: dict[str, bool]) -> Run:
    datasets = [Data(**each) for each in run["datasets"]]
    said = run | {"datasets": datasets}
    return Run(**said, titles=titles, commits=commits, configuration=CONFIGURATION)


def _commits(record_of: Callable[[str], dict], paths: list[str]) -> dict[str, bool]:
    """Commit -> whether it was changed since, of the code that made these results."""
    found = [git for path in paths if (git := record_of(path)["git"])]
    return {
        commit: any(git["dirty"] for git in found if git["commit"] == commit)
        for commit in sorted({git["commit"] for git in found})
    }


def _page_of(path: str, root: Path) -> str:
    """The address of a page, which may be the first of a folder."""
    address = os.path.relpath(path, root)
    return address if address.endswith(".html") else f"{address}/index.html"


if __name__ == "__main__":
    perform(snakemake, compose_index)
