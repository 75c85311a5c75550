"""What may be done to a run, and which verb finds it: the table of docs/provenance.md.

A verb has a column by its entry in `VERBS`, and must then have an outcome in every case. Write the
table by: PYTHONPATH=workflow:tests python -m helpers.tampering
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cli.showing import Outcome
from helpers.finished_run import FOLD, INDEX, MODEL, NAME, vouch
from helpers.project import PROJECT
from helpers.records import write_acceptance
from helpers.toy_project import EDITS
from l2i.provenance.currency import KnownRecords
from l2i.provenance.records import acceptance_path, record_path, result_of

PAGE = PROJECT / "docs/provenance.md"
BLOCK = re.compile(r"(<!-- tampering -->\n).*?(<!-- /tampering -->)", re.DOTALL)
LATER = re.compile(r"(<!-- later -->\n).*?(<!-- /later -->)", re.DOTALL)

FINE, TAMPERED, STALE, NO_RECORD, _ = Outcome
# By its name in the table: how each verb is asked; what follows is the folder of the run.
VERBS = {
    "verify": ("audit", "verify"),
    "verify --quick": ("audit", "verify", "--quick"),
    "verify --seal": ("audit", "verify", "--seal", "HASH"),
}
SEALED = "verify --seal"  # by the hash that was printed before anything was done

TABLE, OTHER = "tables/table_5.csv", "tables/table_4.csv"
FEATURES, SOUNDS = "features/esc50/log_mel.npy", f"listening/{FOLD}/sounds"
CLIP = "data/esc50/audio/1.wav"


class Case(NamedTuple):
    """Something that is done to a run."""

    do: Callable[[Path], Any]
    path: str  # that is named, where something is found
    said: str  # of what is said then
    outcomes: dict[str, Outcome]  # by verb: what the exit code tells
    told: bool = False  # by each verb, even by those to which it is no fault

    def is_told(self, verb: str) -> bool:
        """Whether a verb says anything; also of what is no fault, if it is one to nobody."""
        is_fault = any(self.outcomes.values())
        return self.told or bool(self.outcomes[verb] if is_fault else self.path)


def found(do, path, said, outcome, *, quick=None, sealed=None, told=False):
    """A case that `verify` finds, alike but for what is said of --quick and of --seal."""
    outcomes = (outcome, outcome if quick is None else quick, outcome if sealed is None else sealed)
    return Case(do, path, said, dict(zip(VERBS, outcomes, strict=True)), told)


def unknowable(do):
    """A case that `verify` cannot find, as nothing in the run tells, nor any seal."""
    return found(do, "", "", FINE)


def known_by_seal(do, path):
    """A case that nothing in the run tells of, but the hash that was printed elsewhere."""
    return found(do, path, "seal", FINE, sealed=TAMPERED)


# ------------------------------------------------------------------ what is done


def flip(path):
    """Another byte in the middle of a file."""

    def do(run):
        content = bytearray((run / path).read_bytes())
        content[len(content) // 2] ^= 1
        (run / path).write_bytes(content)

    return do


def write(path, text="stray\n"):
    def do(run):
        (run / path).write_text(text)

    return do


def remove(*paths):
    def do(run):
        for path in (run / each for each in paths):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return do


def replace(path, by):
    return lambda run: shutil.copy(run / by, run / path)


def with_old_times(path, do):
    """Whatever is done, the file has the time of its last write as before."""

    def set_back(run):
        about = (run / path).stat()
        do(run)
        os.utime(run / path, ns=(about.st_atime_ns, about.st_mtime_ns))

    return set_back


def record_of(result):
    return record_path(result).as_posix()


def edit(path, *keys, to):
    """Set what lies below the keys of a JSON file."""

    def do(run):
        whole = json.loads((run / path).read_text())
        part = whole
        for key in keys[:-1]:
            part = part[key]
        part[keys[-1]] = to
        (run / path).write_text(json.dumps(whole, indent=1) + "\n")

    return do


def edit_record(*keys, to, of=TABLE):
    return edit(record_of(of), *keys, to=to)


def link(path, to):
    """Put a link in the place of a file or folder; what was there lies where it leads."""

    def do(run):
        target = run / to
        target.parent.mkdir(parents=True, exist_ok=True)
        if (run / path).exists():
            (run / path).rename(target)
        else:
            target.write_text("outside\n")
        (run / path).symlink_to(os.path.relpath(target, (run / path).parent))

    return do


def make_anew(result, inputs=()):
    """Other bytes, with a record that vouches for them."""

    def do(run):
        (run / result).write_text("other,bytes\n1,2\n")
        vouch(run, result, inputs)

    return do


def make_anew_and_accept(result, source):
    """Other bytes, and what was made of the old ones is accepted as made of these."""

    def do(run):
        make_anew(result, [source])(run)
        known = KnownRecords()
        for path in map(result_of, run.rglob(".records/*.json")):
            now = known.identity_of(path)
            if not any(used.endswith(result) for _, used, _ in now.inputs):
                continue
            inputs = [
                (name, used, known.sha256_of(run / result) if used.endswith(result) else sha256)
                for name, used, sha256 in now.inputs
            ]
            write_acceptance(path, now, now._replace(inputs=inputs))

    return do


def put_record_of_another_run(run):
    write_anew = edit(record_of(TABLE), "output", "path", to=f"results/other/{TABLE}")
    write_anew(run)


def remove_corpus(run):
    shutil.rmtree(run / "data")


ZEROS = "0" * 64

# ------------------------------------------------------------------ the cases

CASES = {
    # Bytes.
    **{
        f"one byte of {what}": found(flip(path), path, "its record says sha256", TAMPERED)
        for what, path in {
            "a table (csv)": TABLE,
            "a table (Markdown)": "tables/table_4.md",
            "spectra (npy)": FEATURES,
            "a network (safetensors)": MODEL,
            "a figure (svg)": "figures/figure_2.svg",
            "a figure (png)": "figures/figure_2.png",
            "a list (json)": f"listening/{FOLD}/clips.json",
        }.items()
    },
    "one byte of a sound": found(flip(f"{SOUNDS}/input.wav"), SOUNDS, "sha256", TAMPERED),
    "a sound put beside the others": found(write(f"{SOUNDS}/new.wav"), SOUNDS, "sha256", TAMPERED),
    "one byte of a digest": found(
        flip(f"{MODEL}.digest"), f"{MODEL}.digest", f"record of {MODEL}", TAMPERED
    ),
    "a table replaced by a copy of another": found(
        replace(OTHER, TABLE), OTHER, f"the bytes of {TABLE}", TAMPERED
    ),
    "a digest removed": found(
        remove(f"{MODEL}.digest"), f"{MODEL}.digest", "its file and record are", FINE
    ),
    "a table edited, and its time set back": found(
        with_old_times(TABLE, flip(TABLE)), TABLE, "its record says sha256", TAMPERED
    ),
    "one byte of a log": unknowable(flip(f"logs/{TABLE}.log")),
    # Records.
    "a record that is no JSON": found(
        write(record_of(TABLE), "{"), record_of(TABLE), "line 1 column 2", TAMPERED
    ),
    **{
        f"in a record: {what}": found(edit_record(*keys, to=to), record_of(TABLE), said, TAMPERED)
        for what, (keys, to, said) in {
            "a key that it must not have": (("note",), "mine", "'note' was unexpected"),
            "the result's size": (("output", "size_bytes"), 1, "it says size_bytes 1, which has"),
            "the result's path": (("output", "path"), f"{NAME}/{OTHER}", f"is of {NAME}/{OTHER}"),
            "a setting": (("settings", "threshold"), 0.2, "its settings have the fingerprint"),
            "the fingerprint of settings": (("fingerprints", "settings"), ZEROS, "says 00000000"),
            "the version of a package": (("pins", "numpy"), "1.0", "its pins have the fingerprint"),
            "what was installed": (("software", "numpy"), "1.0", "software: numpy"),
            "the result's kind": (("output", "kind"), "folder", "it says kind folder, which has"),
            "an input's size": (("inputs", 0, "size_bytes"), 1, "it says size_bytes 1, which has"),
            "the rule": (("rule",), "any", "which is not among its code"),
            "a wildcard": (("wildcards", "number"), "9", "says that number is 9"),
            "a seed": (("seeds", "seed"), 7, "give the seeds {'seed': 0}"),
            "the precision": (
                ("runtime", "precision"),
                "bfloat16",
                "of the precision both bfloat16",
            ),
            "the end before the start": (
                ("finished_at",),
                "2025-01-31T11:00:00+00:00",
                "before it started",
            ),
        }.items()
    },
    "in a record: the result's sha256": found(
        edit_record("output", "sha256", to=ZEROS), TABLE, "its record says sha256 00000", TAMPERED
    ),
    "in a record: an input's sha256": found(
        edit_record("inputs", 0, "sha256", to=ZEROS),
        TABLE,
        "with sha256 00000000",
        STALE,
        sealed=TAMPERED,
    ),
    "in a record: an input's path": found(
        edit_record("inputs", 0, "path", to=f"{NAME}/no.csv"),
        f"{NAME}/no.csv",
        TABLE,
        NO_RECORD,
        sealed=TAMPERED,
    ),
    "in a record: the fingerprint of code": found(
        edit_record("fingerprints", "code", to=ZEROS),
        f".run/code/{ZEROS}.json",
        TABLE,
        NO_RECORD,
        sealed=TAMPERED,
    ),
    "in a record: its version": found(
        edit_record("record_version", to=2),
        record_of(TABLE),
        "is of version 2",
        NO_RECORD,
        sealed=TAMPERED,
    ),
    "in a record: seconds, host, commit, facts": known_by_seal(
        edit_record("seconds", to=2.0), record_of(TABLE)
    ),
    "the same in one of two records of a job": found(
        edit_record("seconds", to=2.0, of=OTHER), "table_4.", "differ in seconds", TAMPERED
    ),
    "a record of another run": found(
        put_record_of_another_run, record_of(TABLE), "is of results/other/", TAMPERED
    ),
    "a record of another result": found(
        replace(record_of(TABLE), record_of(OTHER)),
        record_of(TABLE),
        f"of {NAME}/{OTHER}",
        TAMPERED,
    ),
    "the record of a table removed": found(
        remove(record_of(TABLE)), TABLE, "has no record", NO_RECORD, sealed=TAMPERED
    ),
    "the record of an input removed": found(
        remove(record_of(MODEL)), MODEL, "were made of it", NO_RECORD, sealed=TAMPERED
    ),
    "a table and its record, made to fit": known_by_seal(
        make_anew(TABLE, [f"evaluation/{FOLD}/fidelity.csv"]), TABLE
    ),
    # What is missing.
    "a table removed": found(remove(TABLE), TABLE, "its record says sha256", TAMPERED),
    "a folder of sounds removed": found(remove(SOUNDS), SOUNDS, "its record says", TAMPERED),
    "spectra removed to make room": found(
        remove(FEATURES), FEATURES, "its record says sha256", FINE
    ),
    "spectra, digest and record removed": found(
        remove(FEATURES, f"{FEATURES}.digest", record_of(FEATURES)),
        f"{NAME}/{FEATURES}",
        "has no record",
        NO_RECORD,
        sealed=TAMPERED,
    ),
    # What does not belong there.
    **{
        f"a stray file {where}": found(
            write(path),
            path,
            "has no record",
            NO_RECORD,
            sealed=TAMPERED if ".records" in path else None,
        )
        for where, path in {
            "beside tables": "tables/notes.txt",
            "that is hidden": "tables/.notes",
            "among records": "tables/.records/notes.txt",
            "among notes on the run": ".run/notes.txt",
            "among logs": "logs/tables/notes.csv",
        }.items()
    },
    "a link in the place of a table": found(
        link(TABLE, "../../elsewhere/table.csv"), TABLE, "is a link to", TAMPERED
    ),
    "a link in the place of a folder": found(
        link("tables", "../../elsewhere/tables"), "tables", "is a link to", TAMPERED
    ),
    "a link that leads out of the run": found(
        link("figures/more.png", "../../elsewhere/more.png"),
        "figures/more.png",
        "is a link to",
        TAMPERED,
    ),
    "a link among sounds": found(
        link(f"{SOUNDS}/input.wav", "../../elsewhere/input.wav"),
        f"{SOUNDS}/input.wav",
        "is a link to",
        TAMPERED,
    ),
    # Inputs, settings, code.
    "an input made anew with other bytes": found(
        make_anew(f"evaluation/{FOLD}/fidelity.csv", [MODEL]),
        TABLE,
        "was made of",
        STALE,
        sealed=TAMPERED,
    ),
    "an input made anew, and accepted": found(
        make_anew_and_accept(f"evaluation/{FOLD}/fidelity.csv", MODEL),
        TABLE,
        "only the folds were renamed",
        FINE,
        sealed=TAMPERED,
        told=True,
    ),
    "an acceptance that is none": found(
        write(acceptance_path(TABLE).as_posix(), "{}"),
        acceptance_path(TABLE).as_posix(),
        "is damaged",
        TAMPERED,
    ),
    "the list of clips made anew": found(
        make_anew(INDEX), MODEL, f"{NAME}/{INDEX}", STALE, sealed=TAMPERED
    ),
    "a setting changed after the run": unknowable(
        edit(".run/asked.json", "config", 0, to=f"machine={{data: {NAME}/data, threads: 2}}")
    ),
    "a note on code edited": found(
        lambda run: edit(
            next((run / ".run/code").iterdir()).relative_to(run).as_posix(), "new.py", to={}
        )(run),
        ".run/code/",
        "has the fingerprint",
        TAMPERED,
    ),
    "a note on code removed": found(
        lambda run: shutil.rmtree(run / ".run/code"),
        ".run/code/",
        "is not there",
        NO_RECORD,
        sealed=TAMPERED,
    ),
    "the note on the configuration edited": known_by_seal(
        edit(".run/configuration.json", "seed", to=1), ".run/configuration.json"
    ),
    # The corpus.
    "a clip edited": found(flip(CLIP), CLIP, "was listed with sha256", STALE),
    "a clip replaced, of the same size and time": found(
        with_old_times(CLIP, flip(CLIP)),
        CLIP,
        "was listed with sha256",
        TAMPERED,
        quick=FINE,
    ),
    "a clip of another length": found(write(CLIP), CLIP, "was listed with", STALE),
    "a clip removed": found(remove(CLIP), CLIP, "is lost", STALE),
    "a clip added": found(write("data/esc50/audio/9.wav"), "audio/9.wav", "is new", STALE),
    "the corpus taken away": found(remove_corpus, "data/esc50", "is not there", FINE),
}


# What is changed in the project after a run: nothing of the run, so `verify` says nothing, and
# how `stale` begins to tell of it, in the toy project.
EDITED_LATER = {
    "a function of the library": (EDITS[0][0], "code of l2i/arithmetic.py: twice changed"),
    "a setting of one rule": (EDITS[1][0], "setting factor: was 2, now 3"),
    "a setting of what others are made of": (EDITS[2][0], "setting start: was 3, now 4"),
    "a package of the lock": (EDITS[3][0], "package packaging: was "),
}

# ------------------------------------------------------------------ the page


def table() -> str:
    """Which verb finds what, in Markdown."""
    lines = [["what is done", *(f"`{verb}`" for verb in VERBS)], ["---"] * (1 + len(VERBS))]
    for name, case in CASES.items():
        lines.append([name, *(_cell(case, verb) for verb in VERBS)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _cell(case: Case, verb: str) -> str:
    words = {FINE: "told", TAMPERED: "tampered", STALE: "stale", NO_RECORD: "no record"}
    outcome = case.outcomes[verb]
    return f"{words[outcome]} ({outcome})" if case.is_told(verb) else "–"


def later_table() -> str:
    """What verify and stale say of edits after a run, in Markdown."""
    lines = ["| what is edited after the run | `verify` | `stale` |", "| --- | --- | --- |"]
    lines += [f"| {name} | – | stale (2): {said}... |" for name, (_, said) in EDITED_LATER.items()]
    return "".join(f"{line}\n" for line in lines)


def printed(page: str) -> str:
    """A page with the tables in their places."""
    page = BLOCK.sub(lambda found: found[1] + table() + found[2], page)
    return LATER.sub(lambda found: found[1] + later_table() + found[2], page)


if __name__ == "__main__":
    PAGE.write_text(printed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
