"""How pages are made of templates: everything is escaped, and nothing is left undefined."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def rendered(
    template: str,
    values: Mapping[str, Any],
    filters: Mapping[str, Any] | None = None,
) -> str:
    """A page of HTML in one file, which needs no network.

    Parameters
    ----------
    template : str
        Name of a file of `TEMPLATES`. The module that asks for it must name it in its source, as
        templates must name those that they extend: fingerprints of code go by that.
    values : mapping
        What the template names. Texts may come from outside: their markup is shown, not obeyed.
    filters : mapping, optional
        Functions that it puts texts through, by name.

    Raises
    ------
    jinja2.UndefinedError
        If the template names what `values` does not hold.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= dict(filters or {})
    return environment.get_template(template).render(values)


def style_and_script(style: str, *scripts: str) -> dict[str, str]:
    """The texts of files of `TEMPLATES`, and the hashes that a content policy calls them by.

    As values for a template: `style`, `script` (one after the other), `style_hash`, `script_hash`.
    Names are to be in the source of who asks, as with `rendered`.
    """
    texts = {
        what: "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
        for what, names in (("style", [style]), ("script", scripts))
    }
    return texts | {f"{what}_hash": _content_hash(text) for what, text in texts.items()}


def _content_hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def in_script(value: Any) -> str:
    """JSON in ASCII that a script may hold: no text in it can end the script or a line."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
