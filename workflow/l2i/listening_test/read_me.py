"""What the pack of a listening test says to whoever runs the test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from l2i.listening_test.naming import test_id
from l2i.listening_test.webmushra import folder_of

NOTHING_TO_RATE = """# Listening test

There is no stimulus: the classifier predicts no test clip rightly that can be heard by
`listening_test.audible`. A better classifier, or more test clips, would give some.
"""


def read_me(stimuli: pd.DataFrame, facts: Mapping[str, Any]) -> str:
    """The text, as Markdown.

    Parameters
    ----------
    stimuli : DataFrame
        Those of stimuli.csv: `stimulus`, `class`, `dataset`, `silent`.
    facts : mapping
        Those of :func:`l2i.listening_test.pack.write_pack`.
    """
    test, n = facts["test"], facts["n_participants"]
    classes = stimuli.groupby("class", sort=False).size()
    counted = ", ".join(f"{name} {count}" for name, count in classes.items())
    silent = stimuli.loc[stimuli["silent"] != "", ["stimulus", "silent"]]
    told = ", ".join(f"{row.stimulus} ({row.silent})" for row in silent.itertuples())
    return f"""# Listening test {test}

{facts["n_stimuli"]} stimuli ({counted}).
{n} participants, who rate {facts["per_participant"]} each.

`stimuli.csv` says what the stimuli are, `participants.csv` who rates which, in which order, and
whose sound is A. Keep both from participants, and this page: they tell whose sounds are whose.

Silent interpretations, of systems that found nothing: {told or "none"}.
They are played as silence, participants are told so, and they count as they are rated.

## The page

`index.html` is the whole test in one file of {facts["n_bytes"] / 1e6:.1f} MB, sounds included. Send
it to participants, or have them come to it, each with a number from 1 to {n};
`index.html?participant=3` fills in number 3. It needs no server and no network, and sends nothing.
Answers stay in the browser through a reload; at the end participants save them as
`ratings_{test}_NUMBER.csv`, and give you that file.

## webMUSHRA

Copy `webmushra` into a copy of [webMUSHRA](https://github.com/audiolabs/webMUSHRA) that a web
server with PHP serves, under this name:

    cp -r webmushra WEBMUSHRA/{folder_of(test)}

Participant 3 then opens `?config=l2i-{test}/3.yaml`, and the answers are in
`WEBMUSHRA/results/{test_id(test, 3)}/mushra.csv`: copy these folders as they are, since the file
has the same name in each. Other than on our page, webMUSHRA hides the
recording itself among the sounds that are rated, prints the words of ITU-R BS.1534 (bad to
excellent) beside its scale, and does not insist that all is heard before it is rated.

## What to do with the answers

Put the csv files, of either kind, into a folder `RATINGS/{stimuli["dataset"].iloc[0]}/`, or folders
of them, and give your command again with

    --config 'machine={{ratings: RATINGS}}'

They are answers to this test alone, whose sounds and plan its number stands for. What makes other
sounds, and another `listening_test` or `seed` in the configuration, composes another one in this
place: leave them as they are until all is rated, or give the other run a `name` of its own.
"""
