"""Names in pixels: no character is drawn as a box because the font of figures lacks it.

DejaVu Sans, which comes with Matplotlib, has letters of Europe and the Near East. For others any
font of the machine will do; where none has a character, its number stands in its place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

BASE = "DejaVu Sans"
LONGEST = 40  # characters of a name in which some are replaced: each takes six
_DIGEST = 7


def without_boxes(figure: Figure) -> str:
    """Give texts of a figure that was drawn before fonts that have their characters.

    Returns
    -------
    str
        The characters that no font has, which are replaced by their numbers.
    """
    base = font_manager.get_font(font_manager.findfont(BASE))
    texts = [text for text in figure.findobj(Text) if _lacking(base, text.get_text())]
    lacking = set().union(*(_lacking(base, text.get_text()) for text in texts))
    families, unreadable = _families_for(lacking)
    if unreadable:
        for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
            labels = [text.get_text() for text in axis.get_ticklabels()]
            if unreadable & set("".join(labels)):  # else drawing sets them anew
                axis.set_ticks(axis.get_ticklocs(), [numbered(x, unreadable) for x in labels])
    for text in texts:
        text.set_fontfamily([BASE, *families])
        text.set_text(numbered(text.get_text(), unreadable))
    return "".join(sorted(unreadable))


def numbered(text: str, characters: set[str]) -> str:
    r"""The text with some characters replaced by their numbers, as in '\u5927'; not too long."""
    return "\n".join(_numbered(line, characters) for line in text.split("\n"))


def _numbered(line: str, characters: set[str]) -> str:
    whole = "".join(c.encode("unicode_escape").decode() if c in characters else c for c in line)
    if whole == line or len(whole) <= LONGEST:
        return whole
    digest = hashlib.sha256(line.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{whole[: LONGEST - _DIGEST]}~{digest[: _DIGEST - 1]}"


def _families_for(characters: set[str]) -> tuple[list[str], set[str]]:
    """Few families that together have as many characters as can be had, and the others."""
    families, left = [], set(characters)
    fonts = list(_installed()) if left else []
    while left:
        found, family = max(
            ((left - _lacking(font, "".join(left)), family) for family, font in fonts),
            key=lambda each: len(each[0]),
            default=(set(), ""),
        )
        if not found:
            break
        families.append(family)
        left -= found
    return families, left


def _installed() -> Iterator[tuple[str, FT2Font]]:
    """Upright fonts of usual weight by their families, in the order of their names."""
    entries = sorted(font_manager.fontManager.ttflist, key=lambda entry: (entry.name, entry.fname))
    for entry in entries:
        usual = entry.style == "normal" and entry.weight in (400, "normal", "regular")
        if usual and not entry.name.startswith("Last Resort"):  # which has nothing but boxes
            try:
                font = font_manager.get_font(entry.fname)
            except (OSError, RuntimeError):  # a damaged font is none
                continue
            yield entry.name, font


def _lacking(font: FT2Font, text: str) -> set[str]:
    return {c for c in text if not c.isspace() and not font.get_char_index(ord(c))}
