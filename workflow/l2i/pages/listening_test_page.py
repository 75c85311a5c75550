"""The page of a listening test: one file, with all its sounds inside, that needs no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from l2i.pages.rendering import in_script, rendered, style_and_script


def listening_test_page(
    title: str,
    data: Mapping[str, Any],
    sounds: Mapping[str, Any],
    *,
    instructions: Sequence[str],
    question: str,
    ends: tuple[str, str],
) -> str:
    """The page, in HTML.

    Parameters
    ----------
    title : str
    data : mapping
        `test`, its hash; `participants`, of each a list of pairs in order: the number of a stimulus
        and 1 where its second sound is A; `stimuli`, of each `id`, `class`, `seconds` and, of its
        two sounds, whether they are `silent`; `key`, base64 of JSON: by the id of a stimulus the
        systems of its two sounds, which are told when all is rated and not before.
    sounds : mapping
        By the id of a stimulus its `input` and its two `sounds`, and under `level` a `noise`; FLAC
        in base64. Each is a script of its own, which the page reads when it is wanted.
    instructions : sequence of str
        Paragraphs.
    question : str
    ends : (str, str)
        What 0 and 100 mean.
    """
    lowest, highest = ends
    values = {
        "title": title,
        "instructions": instructions,
        "question": question,
        "lowest": lowest,
        "highest": highest,
        "n_participants": len(data["participants"]),
        "data": in_script(data),
        "sounds": {name: in_script(each) for name, each in sounds.items()},
        **style_and_script("listening_test.css", "elements.js", "listening_test.js"),
    }
    return rendered("listening_test.html", values)
