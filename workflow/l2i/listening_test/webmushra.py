"""The listening test for webMUSHRA (github.com/audiolabs/webMUSHRA): its pages and sounds.

There a page has a reference, here the clip, and conditions, here the interpretations, which are
called A and B. webMUSHRA adds the reference to the conditions by itself, hidden among them.
"""

from __future__ import annotations

import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
import yaml

from l2i.disk import write_bytes, write_text
from l2i.listening_test.naming import LABELS, test_id
from l2i.listening_test.sounds import INPUT, StimulusSounds, level_sound
from l2i.listening_test.words import QUESTION, WHAT_TO_DO, ends_of_scale


def folder_of(test: str) -> str:
    """Where the pack must lie in a copy of webMUSHRA; paths of its pages begin there."""
    return f"configs/l2i-{test}"


def write_webmushra(
    folder: Path,
    test: str,
    title: str,
    plan: pd.DataFrame,
    sounds: Mapping[str, StimulusSounds],
    sides: Mapping[str, Sequence[str]],
) -> None:
    """Write a page of pages for each participant, {participant}.yaml, and sounds as wav.

    Parameters
    ----------
    folder : Path
        Made here.
    test : str
        Its hash.
    title : str
        What participants see.
    plan : DataFrame
        As of `plan_participants`.
    sounds : mapping
        Stimulus -> what is played.
    sides : mapping
        Stimulus -> its systems in an order that tells nothing, after which sounds are named.
    """
    files = folder / "sounds"
    files.mkdir(parents=True)
    rate = 0
    for stimulus, each in sounds.items():
        rate = each.rate
        for name, x in each.played.items():
            write_bytes(files / _wav(stimulus, name, sides), _pcm16(x, rate))
    write_bytes(files / "level.wav", _pcm16(level_sound(rate), rate))
    for participant, rows in plan.groupby("participant"):
        said = configuration(test, title, int(participant), rows, sounds, sides)
        text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)
        write_text(folder / f"{participant}.yaml", text)


def configuration(
    test: str,
    title: str,
    participant: int,
    rows: pd.DataFrame,
    sounds: Mapping[str, StimulusSounds],
    sides: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """All that webMUSHRA is told of one participant's test."""
    place = f"{folder_of(test)}/sounds"
    pages: list[dict[str, Any]] = [
        {
            "type": "generic",
            "id": "instructions",
            "name": title,
            "content": "".join(f"<p>{html.escape(each)}</p>" for each in WHAT_TO_DO),
        },
        {
            "type": "volume",
            "id": "volume",
            "name": "Volume",
            "content": "Set a volume at which this noise is comfortable, and leave it there: no "
            "sound of the test is louder.",
            "stimulus": f"{place}/level.wav",
            "defaultVolume": 0.5,
        },
    ]
    for row in rows.sort_values("position").itertuples():
        first, second = _first_and_second(row.first, sides[row.stimulus])
        target = html.escape(sounds[row.stimulus].target)
        silent = sounds[row.stimulus].silent
        pages.append(
            {
                "type": "mushra",
                "id": row.stimulus,
                "name": f"Recording {row.position} of {len(rows)}",
                "content": f"Class: <strong>{target}</strong>. {html.escape(QUESTION)} "
                f"{html.escape(ends_of_scale())}{_about_silence(silent)}",
                "showWaveform": False,
                "enableLooping": True,
                "strict": False,
                "reference": f"{place}/{_wav(row.stimulus, INPUT, sides)}",
                "createAnchor35": False,
                "createAnchor70": False,
                "randomize": True,
                "showConditionNames": False,
                "stimuli": {
                    label: f"{place}/{_wav(row.stimulus, system, sides)}"
                    for label, system in zip(LABELS, (first, second), strict=True)
                },
            }
        )
    pages.append(
        {
            "type": "finish",
            "name": "The end",
            "content": "Thank you. Send your answers, and the test is over.",
            "popupContent": "Your answers were sent. You may close this page.",
            "showResults": False,
            "writeResults": True,
        }
    )
    return {
        "testname": title,
        "testId": test_id(test, participant),
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": True,
        "remoteService": "service/write.php",
        "pages": pages,
    }


def _first_and_second(first: str, systems: Sequence[str]) -> tuple[str, str]:
    (second,) = [name for name in systems if name != first]
    return first, second


def _about_silence(silent: Sequence[str]) -> str:
    if not silent:
        return ""
    said = "One of the sounds is" if len(silent) == 1 else "The two sounds beside the recording are"
    return f" {said} silence, since nothing was found: rate silence like any other sound."


def _wav(stimulus: str, name: str, sides: Mapping[str, Sequence[str]]) -> str:
    """Name of a file, which must not tell whose sound it is."""
    part = INPUT if name == INPUT else f"sound{1 + list(sides[stimulus]).index(name)}"
    return f"{stimulus}_{part}.wav"


def _pcm16(x: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, x, rate, format="WAV", subtype="PCM_16")
    return file.getvalue()
