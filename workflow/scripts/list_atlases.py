"""The page that leads to the atlas of each dictionary."""

from harness import perform
from l2i.disk import write_text
from l2i.pages.atlases import Entry, atlases_page
from l2i.stored import read_json


def list_atlases(path_to_summaries: list[str], path_to_page: str, *, pages: list[str]) -> None:
    """Write the page; `pages` are the addresses of the atlases, from it, in the same order."""
    entries = [
        Entry(path=page, **read_json(summary, dict))
        for summary, page in zip(path_to_summaries, pages, strict=True)
    ]
    write_text(path_to_page, atlases_page(entries))


if __name__ == "__main__":
    perform(snakemake, list_atlases)
