"""Files of answers as participants return them: of our page, or of webMUSHRA, in one form.

webMUSHRA (github.com/audiolabs/webMUSHRA, service/write.php) writes a row for each sound of a page:
`session_test_id`, what was asked of the participant, `trial_id`, `rating_stimulus`, `rating_score`,
`rating_time` (ms on the page), `rating_comment`. The hidden reference is one of the sounds. Files
are read as spreadsheets leave them, see `l2i.datasets.spreadsheets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from l2i.checks import InputError
from l2i.datasets.spreadsheets import numbers, read_table, read_text, truth, whole
from l2i.hashing import file_sha256
from l2i.listening_test.naming import LABELS, of_test_id

# As our page gives them, one row for each rating.
COLUMNS = [
    *("test", "participant", "position", "stimulus", "class", "system", "label"),
    *("rating", "seconds", "rated_at", "simulated"),
]
OURS = [name for name in COLUMNS if name != "class"]  # which the stimulus tells
WEBMUSHRA = ["session_test_id", "trial_id", "rating_stimulus", "rating_score", "rating_time"]
REFERENCE = "reference"  # what webMUSHRA calls the hidden clip


@dataclass(frozen=True)
class AnswerFile:
    """One file of answers.

    ``rows`` holds texts under the names `OURS`, empty where the file does not tell, by line of the
    file. ``n_references`` are ratings of the hidden reference, which are not among them.
    """

    name: str
    sha256: str
    rows: pd.DataFrame
    n_references: int


def read_answers(path: Path, name: str) -> AnswerFile:
    """Read a file of answers, whose `name` messages have.

    Raises
    ------
    InputError
        If it is no csv table of either kind.
    """
    header, _, rest = read_text(path, "csv table").partition("\n")
    if header.startswith("sep="):  # a line that spreadsheets understand
        header = rest.partition("\n")[0]
    if "session_test_id" in header:
        rows = _of_webmushra(read_table(path, WEBMUSHRA))
    elif "participant" in header and "rating" in header:
        rows = read_table(path, OURS)
    else:
        raise InputError(
            f"{name} holds no answers: its first line says {header[:80].strip()!r}, and is neither "
            "that of the test's page nor that of webMUSHRA. Take it out of the folder of answers"
        )
    is_reference = (rows["label"] == REFERENCE) & (rows["system"] == "")
    rows = rows[~is_reference].copy()
    for column in ("participant", "position", "rating"):
        rows[column] = rows[column].map(whole)
    rows["simulated"] = rows["simulated"].map(truth)
    return AnswerFile(name, file_sha256(path), rows, int(is_reference.sum()))


def _of_webmushra(found: pd.DataFrame) -> pd.DataFrame:
    """Its rows in the form of ours; who is A, and in which place, is known from the plan alone."""
    named = found["session_test_id"].map(of_test_id)
    seconds = numbers(found["rating_time"]) / 1000
    label = found["rating_stimulus"].map(
        lambda text: text.upper() if text.upper() in LABELS else text
    )
    return pd.DataFrame(
        {
            "test": named.str[0],
            "participant": named.str[1],
            "position": "",
            "stimulus": found["trial_id"],
            "system": "",
            "label": label,
            "rating": found["rating_score"],
            "seconds": seconds.map(lambda value: "" if pd.isna(value) else f"{value:.1f}"),
            "rated_at": "",
            "simulated": "False",
        },
        index=found.index,
        dtype=str,
    )
