"""Where files of the project are in the site."""

from __future__ import annotations

import pytest

from documentation.site import KEPT, origin_of, page_of, text_of


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("README.md", "index.md"),
        ("docs/faults.md", "faults.md"),
        ("docs/figures/a.svg", "figures/a.svg"),
        ("docs/explain_your_own.ipynb", "explain_your_own.md"),
        ("workflow/reference/deviations.yaml", "ledger.md"),
        ("workflow/l2i/metrics.py", "source/workflow/l2i/metrics.py.md"),
        ("docs/hooks.py", "source/docs/hooks.py.md"),
    ],
)
def test_a_file_is_found_in_the_site(path, page):
    assert page_of(path) == page


def test_pages_and_files_lead_to_each_other():
    assert all(page_of(origin_of(page)) == page for page in [*KEPT, "faq.md", "how/index.md"])


def test_a_notebook_is_a_page_of_its_cells():
    text = text_of("docs/explain_your_own.ipynb")
    assert text.startswith("# ") and "```python\n" in text and '"cell_type"' not in text
