"""Links of pages: where they lead in the project, and where that is in the site.

Pages are written for readers of the files: a link is relative to the file that it stands in, and
may lead to any file of the project. In the site, a file that is a page is linked as that page, and
any other one as a page that shows it, below `source/`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

CODE = re.compile(r"^(```+|~~~+).*?^\1[ \t]*$|(?<!`)(`+)(?!`).+?(?<!`)\2(?!`)", re.M | re.S)
LINK = re.compile(r"(\]\()([^()\s]+)(\))")
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


class Target(NamedTuple):
    """Where a link leads: a path of the project, and an anchor on its page or nothing."""

    path: str
    anchor: str


def targets(text: str, origin: str) -> Iterator[Target]:
    """Where the links of a page lead that stay within the project.

    Parameters
    ----------
    text : str
        Markdown; what is code in it is no link.
    origin : str
        Path of its file in the project, which links are relative to.
    """
    for _, link, _ in LINK.findall(CODE.sub("", text)):
        if not ELSEWHERE.match(link):
            yield target_of(link, origin)


def target_of(link: str, origin: str) -> Target:
    """Path in the project and anchor of a relative link."""
    path, _, anchor = link.partition("#")
    here = posixpath.dirname(origin)
    return Target(posixpath.normpath(posixpath.join(here, path)) if path else origin, anchor)


def relinked(text: str, origin: str, page: str, page_of: Callable[[str], str]) -> str:
    """A page with its links as the site has them.

    Parameters
    ----------
    text, origin
        As for :func:`targets`.
    page : str
        Where the page itself stands in the site.
    page_of : callable
        From a path of the project to where it is in the site.
    """

    def moved(match: re.Match) -> str:
        link = match[2]
        if ELSEWHERE.match(link) or link.startswith("#"):
            return match[0]
        path, anchor = target_of(link, origin)
        there = posixpath.relpath(page_of(path), posixpath.dirname(page) or ".")
        return f"{match[1]}{there}{'#' if anchor else ''}{anchor}{match[3]}"

    parts, at = [], 0
    for code in CODE.finditer(text):
        parts += [LINK.sub(moved, text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*parts, LINK.sub(moved, text[at:])])
