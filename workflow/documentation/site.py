"""What mkdocs is told of pages that do not lie in docs: kept elsewhere, or generated.

The site holds every page once, where its readers look for it; its text is kept once, where it is
edited. `KEPT` are pages that lie elsewhere in the project, `GENERATED` those that are made of what
the workflow reads itself. A file of the project that a page links to becomes a page below
`source/`, so that no link leads out.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from documentation.equations import drawn
from documentation.ledger import ledger_page
from documentation.links import relinked, targets
from documentation.places import PROJECT

KEPT = {  # page of the site: file of the project
    "index.md": "README.md",
    "configuration.md": "config/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "slurm.md": "slurm/README.md",
    "results_folder.md": "results/README.md",
    "model_card.md": "workflow/l2i/shipped/MODEL_CARD.md",
    "explain_your_own.md": "docs/explain_your_own.ipynb",
}
GENERATED: dict[str, tuple[str, Callable[[str], str]]] = {  # page: of which file, and how
    "ledger.md": ("workflow/reference/deviations.yaml", ledger_page),
}
PAGE_OF = {path: page for page, path in KEPT.items()}
PAGE_OF |= {path: page for page, (path, _) in GENERATED.items()}
LANGUAGES = {".py": "python", ".yaml": "yaml", ".smk": "python", ".ipynb": "json", ".toml": "toml"}
COMMENT = re.compile(r"^<!-- .*? -->\n", re.M)  # of measured blocks


def on_files(files: Files, config: MkDocsConfig, **_: Any) -> Files:
    """Add the pages that do not lie in docs, and those of files that any page links to."""
    for page, path in KEPT.items():
        _replace(files, config, page, text_of(path))
    for page, (path, made_of) in GENERATED.items():
        _replace(files, config, page, made_of(text_of(path)))
    for path in linked_files(files):
        _replace(files, config, page_of(path), _shown(path))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """The text of a page with its links and equations as the site has them."""
    uri = page.file.src_uri
    if uri.startswith("source/"):
        return markdown
    return drawn(relinked(COMMENT.sub("\n", markdown), origin_of(uri), uri, page_of))


def page_of(path: str) -> str:
    """Where a file of the project is in the site."""
    if path in PAGE_OF:
        return PAGE_OF[path]
    inside = posixpath.relpath(path, "docs")
    return f"source/{path}.md" if inside.startswith("..") or path.endswith(".py") else inside


def origin_of(page: str) -> str:
    """The file of the project that a page of the site is kept in, as links of its text see it."""
    return KEPT.get(page, f"docs/{page}")


def linked_files(files: Files) -> list[str]:
    """Files of the project, no pages, to which pages of the site lead."""
    found = {
        target.path
        for file in files.documentation_pages()
        for target in targets(file.content_string, origin_of(file.src_uri))
    }
    return sorted(path for path in found if page_of(path).startswith("source/"))


def text_of(path: str) -> str:
    """A file of the project as Markdown, which a notebook becomes cell by cell."""
    text = (PROJECT / path).read_text(encoding="utf-8")
    if not path.endswith(".ipynb"):
        return text
    cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(text)["cells"]]
    return "\n\n".join(
        f"```python\n{source}\n```" if kind == "code" else source for kind, source in cells
    )


def _shown(path: str) -> str:
    """A file of the project as a page that shows it, which the search leaves out."""
    text = (PROJECT / path).read_text(encoding="utf-8")
    fence = "`" * (3 + max(map(len, re.findall("`+", text)), default=0))
    language = LANGUAGES.get(posixpath.splitext(path)[1], "text")
    head = "---\nsearch:\n  exclude: true\n---\n"
    return (
        f"{head}\n# {posixpath.basename(path)}\n\n`{path}`\n\n{fence}{language}\n{text}\n{fence}\n"
    )


def _replace(files: Files, config: MkDocsConfig, page: str, text: str) -> None:
    """Add a page of this text, in the place of one that docs may have."""
    if present := files.get_file_from_path(page):
        files.remove(present)
    files.append(File.generated(config, page, content=text))
