"""Pages for people: links that lead somewhere, commands that exist, and the site made of them.

Links are followed twice, in the files as they are read on a disk or on a forge, and in the site.
"""

from __future__ import annotations

import os
import re
import resource
import shlex
import subprocess
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from typer.main import get_command

from cli.main import app
from documentation.links import CODE, targets
from helpers.project import PROJECT

README_LINES = 200  # what a stranger reads in five minutes
SECONDS = 60  # of a processor, to build the site
HEADING = re.compile(r"^#{1,6} (.+?)(?: \{ ?#([\w-]+) ?\})?$", re.M)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.M | re.S)
COMMAND = re.compile(r"(?:\$ )?(?:\w+=\S+ )*(snakemake|make|l2i|python) ")
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in [
        *PROJECT.glob("*.md"),
        *(PROJECT / "docs").rglob("*.md"),
        *(PROJECT / name for name in ("results/README.md", "slurm/README.md", "config/README.md")),
        PROJECT / "workflow/l2i/shipped/MODEL_CARD.md",
    ]
)


def text_of(name):
    return (PROJECT / name).read_text(encoding="utf-8")


def slug(heading):
    """The anchor of a heading, as GitHub makes it."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.strip()).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(text):
    found = [(given or slug(title)) for title, given in HEADING.findall(CODE_BLOCK.sub("", text))]
    return {
        *found,
        *(f"{name}-{i}" for i, name in enumerate(found)),
        *re.findall(r'id="([^"]+)"', text),
    }


# ------------------------------------------------------------------ pages as files


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(name):
    for path, anchor in targets(text_of(name), name):
        assert (PROJECT / path).exists(), f"{name} links to {path}, which is not there"
        if anchor and path.endswith(".md") and not path.startswith("docs/api/"):
            assert anchor in anchors(text_of(path)), f"{name}: {path} has no heading #{anchor}"


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_is_told_in_words(name):
    told = re.findall(r"!\[([^]]*)\]\(", CODE.sub("", text_of(name)))
    assert all(len(words) > 40 for words in told)


def test_the_readme_is_read_in_five_minutes():
    assert len(text_of("README.md").splitlines()) <= README_LINES


# ------------------------------------------------------------------ commands


def commands():
    """Each command that a page prints in a block without a language, with the page."""
    for name in PAGES:
        for block in re.findall(r"^```\n(.*?)^```$", text_of(name), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                if COMMAND.match(line):
                    words = shlex.split(COMMAND.sub(r"\1 ", line), comments=True)
                    yield pytest.param(words, id=f"{name}: {line.strip()[:70]}")


OF_MAKE = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.M))
EXAMPLES = {"config/farm.yaml", "config/probe.yaml"}  # which CONTRIBUTING.md has its reader write


@pytest.mark.parametrize("words", [*commands()])
def test_a_command_that_a_page_prints_exists(words):
    program, *rest = words
    files = [word for word in rest if re.fullmatch(r"(config|workflow)/[\w/.]+\.(yaml|py)", word)]
    assert all((PROJECT / name).exists() for name in files if name not in EXAMPLES)
    if program == "make":
        assert rest[0] in OF_MAKE
    elif program == "l2i":
        command = get_command(app)
        while hasattr(command, "commands"):
            command, rest = command.commands[rest[0]], rest[1:]
        known = {option for each in command.params for option in [*each.opts, *each.secondary_opts]}
        assert {word for word in rest if word.startswith("--")} <= known


# ------------------------------------------------------------------ the site


class Html(HTMLParser):
    """What a page of the site leads to, fetches, and offers as places to lead to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.fetched, self.ids = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in {"script", "img", "source", "iframe"} and given.get("src"):
            self.fetched.append(given["src"])
        if tag == "link" and given.get("href") and given.get("rel") != "canonical":
            self.fetched.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built as `make docs` builds it, in less than a minute of one core."""
    folder = tmp_path_factory.mktemp("site")
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=PROJECT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime < SECONDS
    return folder


@pytest.fixture(scope="module")
def pages_of_site(site):
    return {path: Html(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


@pytest.mark.slow
def test_no_link_of_the_site_is_dead(pages_of_site):
    dead = []
    for path, html in pages_of_site.items():
        for link in [*html.links, *html.fetched]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            ids = pages_of_site[there].ids if there in pages_of_site else {unquote(parts.fragment)}
            if not there.exists() or (parts.fragment and unquote(parts.fragment) not in ids):
                dead.append(f"{path.name}: {link}")
    assert dead == []


@pytest.mark.slow
def test_the_site_fetches_nothing_from_elsewhere(site, pages_of_site):
    fetched = {link for html in pages_of_site.values() for link in html.fetched}
    assert not [link for link in fetched if urlsplit(link).netloc]
    sheets = [*site.rglob("*.css")]
    assert sheets and not [
        p for p in sheets if re.search(r"url\([\"']?https?:|@import", p.read_text())
    ]


@pytest.mark.slow
def test_pages_that_are_kept_elsewhere_and_generated_ones_are_there(site):
    text = {
        name: (site / f"{name}.html").read_text("utf-8")
        for name in ("index", "ledger", "configuration")
    }
    entries = yaml.safe_load(text_of("workflow/reference/deviations.yaml"))
    assert all(f'id="{entry["id"]}"' in text["ledger"] for entry in entries)
    assert "Five minutes" in text["index"] and "n_components" in text["configuration"]
    stages = (site / "api/stages.html").read_text("utf-8")
    assert 'id="l2i.dictionary.nmf.sparse_nmf"' in stages and "Raises" in stages


@pytest.mark.slow
def test_a_page_on_a_disk_is_searched_and_complains_of_nothing(site, page):
    page.goto((site / "how/index.html").as_uri())
    page.fill("input[name=query]", "faithfulness")
    page.wait_for_selector(".md-search-result__item")
    page.set_viewport_size({"width": 390, "height": 800})
    for name in ("index", "results", "how/systems", "configuration"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
