"""The pack of a listening test: its page, the same for webMUSHRA, and who rates what of it."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from l2i.disk import write_text
from l2i.listening_test.naming import hash_of_test
from l2i.listening_test.participants import plan_participants
from l2i.listening_test.read_me import NOTHING_TO_RATE, read_me
from l2i.listening_test.sounds import INPUT, StimulusSounds, level_sound, open_sounds
from l2i.listening_test.webmushra import write_webmushra
from l2i.listening_test.words import HIGHEST, LOWEST, QUESTION, WHAT_TO_DO
from l2i.pages.listening_test_page import listening_test_page
from l2i.pages.playback import flac_of
from l2i.streams import random_stream
from l2i.tables import write_rows

TITLE = "Listening test"  # says nothing of what is compared


def write_pack(
    folder: Path,
    stimuli: pd.DataFrame,
    sounds_of: Mapping[str, Path],
    *,
    n_participants: int,
    per_participant: int,
    seed: int,
) -> dict[str, Any]:
    """Write index.html, webmushra/, stimuli.csv, participants.csv and README.md.

    Parameters
    ----------
    folder : Path
        Made here.
    stimuli : DataFrame
        One row per stimulus, as chosen: `clip`, `class`, and what else is said of it.
    sounds_of : mapping
        Each of the two systems -> its folder of interpretations of these clips for these classes.
    n_participants, per_participant, seed : int
        As for :func:`l2i.listening_test.participants.plan_participants`.

    Returns
    -------
    dict
        n_stimuli, n_participants, per_participant, n_silent (of the interpretations), n_bytes (of
        index.html), test (its hash). Without a stimulus there is nothing to rate, and README.md
        stands alone beside empty tables.

    Raises
    ------
    InputError
        If a folder does not hold one of the stimuli.
    """
    folder.mkdir(parents=True)
    names = [f"s{i:02d}" for i in range(1, len(stimuli) + 1)]
    sounds = {
        name: open_sounds(sounds_of, row["clip"], row["class"])
        for name, (_, row) in zip(names, stimuli.iterrows(), strict=True)
    }
    described = _described(stimuli, names, sounds)
    write_rows(described, folder / "stimuli.csv")
    plan = plan_participants(
        dict(zip(names, stimuli["class"], strict=True)),
        list(sounds_of),
        n_participants=n_participants,
        per_participant=per_participant,
        seed=seed,
    )
    write_rows(plan, folder / "participants.csv")
    test = hash_of_test(folder)
    if plan.empty:
        write_text(folder / "README.md", NOTHING_TO_RATE)
        return {"n_stimuli": 0, "n_participants": n_participants, "n_bytes": 0, "test": test}
    sides = _sides(names, list(sounds_of), seed)
    write_webmushra(folder / "webmushra", test, TITLE, plan, sounds, sides)
    page = _page(test, plan, sounds, sides)
    write_text(folder / "index.html", page)
    facts = {
        "n_stimuli": len(names),
        "n_participants": n_participants,
        "per_participant": int(plan["position"].max()),
        "n_silent": sum(len(each.silent) for each in sounds.values()),
        "n_bytes": len(page.encode()),
        "test": test,
    }
    write_text(folder / "README.md", read_me(described, facts))
    return facts


def _described(
    stimuli: pd.DataFrame, names: list[str], sounds: Mapping[str, StimulusSounds]
) -> pd.DataFrame:
    """The stimuli with their names, and with what is played of them."""
    described = stimuli.reset_index(drop=True)
    described.insert(0, "stimulus", names)
    return described.assign(
        seconds=[round(each.seconds, 3) for each in sounds.values()],
        silent=[" ".join(each.silent) for each in sounds.values()],
        mismatch_db=[each.mismatch_db for each in sounds.values()],
        sounds_sha256=[each.sha256 for each in sounds.values()],
    )


def _sides(names: list[str], systems: list[str], seed: int) -> dict[str, list[str]]:
    """The two systems of each stimulus in an order that tells nothing of who is who."""
    random = random_stream(seed, "listening test", "sides")
    return {name: [systems[i] for i in random.permutation(len(systems))] for name in names}


def _page(
    test: str,
    plan: pd.DataFrame,
    sounds: Mapping[str, StimulusSounds],
    sides: Mapping[str, list[str]],
) -> str:
    """index.html."""
    numbers = {name: i for i, name in enumerate(sounds)}
    data = {
        "test": test,
        "participants": [
            [
                [numbers[row.stimulus], int(row.first != sides[row.stimulus][0])]
                for row in rows.sort_values("position").itertuples()
            ]
            for _, rows in plan.groupby("participant")
        ],
        "stimuli": [
            {
                "id": name,
                "class": each.target,
                "seconds": each.seconds,
                "silent": [system in each.silent for system in sides[name]],
            }
            for name, each in sounds.items()
        ],
        "key": base64.b64encode(json.dumps(sides).encode()).decode(),
    }
    rate = next(iter(sounds.values())).rate
    inside: dict[str, Any] = {"level": {"noise": _flac(level_sound(rate), rate)}}
    for name, each in sounds.items():
        inside[name] = {
            "input": _flac(each.played[INPUT], each.rate),
            "sounds": [_flac(each.played[system], each.rate) for system in sides[name]],
        }
    return listening_test_page(
        TITLE,
        data,
        inside,
        instructions=WHAT_TO_DO,
        question=QUESTION,
        ends=(LOWEST, HIGHEST),
    )


def _flac(x: Any, rate: int) -> str:
    return base64.b64encode(flac_of(x, rate)).decode()
