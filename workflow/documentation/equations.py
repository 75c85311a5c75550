"""Equations of a page, `$$...$$` in lines of their own, as pictures in the page itself.

GitHub draws such equations; a site that fetches nothing has to bring its own. Matplotlib's
mathtext draws them once, in the colour of the text around them.
"""

from __future__ import annotations

import html
import io
import re

from matplotlib import rc_context
from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import math_to_image

EQUATION = re.compile(r"^\$\$\n(.+?)\n\$\$$", re.M | re.S)
POINTS = 13
INK = "#010203"  # stands for the colour of the text until the picture is in the page


def drawn(text: str) -> str:
    """A page of Markdown with its equations drawn.

    Raises
    ------
    ValueError
        An equation that mathtext does not understand, with the place.
    """
    return EQUATION.sub(lambda match: _figure(" ".join(match[1].split())), text)


def _figure(formula: str) -> str:
    picture = io.BytesIO()
    with rc_context({"svg.fonttype": "path", "svg.hashsalt": formula, "mathtext.fontset": "stix"}):
        math_to_image(f"${formula}$", picture, FontProperties(size=POINTS), format="svg", color=INK)
    svg = picture.getvalue().decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S).replace(INK, "currentColor")
    # The ground on which mathtext draws would hide the dark side of the site.
    svg = re.sub(r'<g id="patch_1">.*?</g>', "", svg, count=1, flags=re.S)
    label = html.escape(formula, quote=True)
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return f'<div class="equation">{"".join(svg.splitlines())}</div>'
