"""Links of pages: where they lead, and how the site has them."""

from __future__ import annotations

import posixpath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documentation.links import Target, relinked, targets

# Few names, so that paths share folders; sampled, which takes no time on a busy machine either.
PATH = st.lists(st.sampled_from(["a", "b", "how", "x.md"]), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("link", "target"),
    [
        ("faults.md", ("docs/faults.md", "")),
        ("../README.md#run-it", ("README.md", "run-it")),
        ("#here", ("docs/page.md", "here")),
        ("how/../figures/a.svg", ("docs/figures/a.svg", "")),
    ],
)
def test_a_link_leads_from_its_file(link, target):
    assert list(targets(f"See [this]({link}).", "docs/page.md")) == [Target(*target)]


@pytest.mark.parametrize("link", ["https://example.org/a.md", "mailto:a@example.org", "//host/a"])
def test_what_leads_out_of_the_project_stays(link):
    text = f"[out]({link})"
    assert list(targets(text, "docs/page.md")) == []
    assert relinked(text, "docs/page.md", "page.md", lambda path: "moved.md") == text


def test_a_link_within_a_page_stays():
    text = "[below](#here)"
    assert relinked(text, "README.md", "index.md", lambda path: "moved.md") == text


@pytest.mark.parametrize("code", ["```\n[a](b.md)\n```", "`[a](b.md)`", "``[a](`b.md`)``"])
def test_code_holds_no_links(code):
    text = f"before {code}\n" if not code.startswith("```") else f"before\n\n{code}\n\nafter"
    assert list(targets(text, "docs/page.md")) == []
    assert relinked(text, "docs/page.md", "page.md", lambda path: "moved.md") == text


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(origin=PATH, target=PATH, page=PATH, place=PATH)
def test_a_link_leads_to_the_same_after_pages_have_moved(origin, target, page, place):
    """A twin that resolves both: the moved link leads from the moved page to the target."""
    link = posixpath.relpath(target, posixpath.dirname(origin) or ".")
    asked = []
    moved = relinked(f"[x]({link}#a)", origin, page, lambda path: asked.append(path) or place)
    assert asked == [posixpath.normpath(target)]
    (there,) = targets(moved, page)
    assert there == Target(place, "a")
