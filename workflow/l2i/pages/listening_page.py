"""The listening page itself: its look and behaviour, around its data or beside them."""

from __future__ import annotations

from l2i.pages.rendering import rendered, style_and_script


def page_of(title: str, data: str | None) -> str:
    """The page, in HTML.

    Parameters
    ----------
    title : str
    data : str or None
        JSON that can stand in a script, for a page in a single file; None where data.js beside the
        page sets `window.listening`.
    """
    values = {
        "title": title,
        "data": data,
        **style_and_script("listening.css", "elements.js", "listening.js"),
    }
    return rendered("listening.html", values)
