"""Titles and captions of tables and figures: one text, wherever a table or figure is shown.

Each is a file of workflow/report, by the name of the table or figure: its first line the title,
then plain paragraphs. Snakemake's report shows the very file; pages print what is read here.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import NamedTuple

from l2i.checks import InputError

CAPTIONS = Path(__file__).parents[1] / "report"
EMPHASIS = re.compile(r"\*(\S|\S[^*]*\S)\*")  # as *this* in a caption: for the report alone


class Caption(NamedTuple):
    """What stands at a table or figure."""

    title: str  # such as "Table IV: fidelity to the classifier"
    text: str  # paragraphs of one line each, an empty line between them, without any markup

    @property
    def number(self) -> str:
        """Of the title, such as "Table IV"."""
        return self.title.split(": ")[0]

    @property
    def topic(self) -> str:
        """Of the title, what comes after the number."""
        return self.title.split(": ", 1)[1]

    @property
    def paragraphs(self) -> list[str]:
        """Of the text, each a line."""
        return self.text.split("\n\n")


def path_of_caption(name: str) -> Path:
    """The file that says what a table or figure shows."""
    return CAPTIONS / f"{name}.rst"


@functools.cache
def caption_of(name: str) -> Caption:
    """The title and caption of a table or figure.

    Parameters
    ----------
    name : str
        Of the table or figure, as its files are called without their endings: ``table_4``.

    Raises
    ------
    InputError
        If there is no such caption, or it is not a title, an empty line and paragraphs.
    """
    place = f"workflow/report/{name}.rst"
    try:
        said = path_of_caption(name).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{place}: missing; write there what {name} shows") from error
    title, *paragraphs = (" ".join(part.split()) for part in said.strip().split("\n\n"))
    number, colon, topic = title.partition(": ")
    if not (number and colon and topic and paragraphs) or "\n" in said.strip().split("\n\n")[0]:
        raise InputError(
            f"{place}: not a title such as 'Table IV: fidelity', an empty line, and a caption"
        )
    return Caption(title, EMPHASIS.sub(r"\1", "\n\n".join(paragraphs)))
