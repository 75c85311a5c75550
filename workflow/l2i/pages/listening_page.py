"""The listening page itself: its look and behaviour, around its data or beside them."""

from __future__ import annotations

from l2i.pages.rendering import TEMPLATES, content_hash, rendered


def page_of(title: str, data: str | None) -> str:
    """The page, in HTML.

    Parameters
    ----------
    title : str
    data : str or None
        JSON that can stand in a script, for a page in a single file; None where data.js beside the
        page sets `window.listening`.
    """
    style, script = (
        (TEMPLATES / name).read_text("utf-8") for name in ("listening.css", "listening.js")
    )
    values = {
        "title": title,
        "style": style,
        "script": script,
        "style_hash": content_hash(style),
        "script_hash": content_hash(script),
        "data": data,
    }
    return rendered("listening.html", values)
