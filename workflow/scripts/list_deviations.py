"""The ledger of deviations and what this run does with it, as pages to read."""

from harness import perform
from l2i.disk import write_text
from l2i.pages.ledger import to_html, to_markdown


def list_deviations(
    path_to_page: str,
    path_to_html: str,
    *,
    deviations: dict[str, dict],
    order: list[str],
) -> None:
    """Write all entries, in order, as Markdown and as HTML."""
    entries = {name: deviations[name] for name in order}
    write_text(path_to_page, to_markdown(entries))
    write_text(path_to_html, to_html(entries))


if __name__ == "__main__":
    perform(snakemake, list_deviations)
