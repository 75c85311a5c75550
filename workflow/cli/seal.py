"""`l2i audit seal`: one hash that stands for a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console

from cli.opening import PROJECT, RunFolder, open_run
from cli.showing import AsJson, Outcome, progress_of_bytes, tell
from l2i.checks import printable
from l2i.provenance.records import describe_git, utc_now
from l2i.provenance.runs import NOTES, Run
from l2i.provenance.seal import (
    SEAL,
    SHORT,
    SIGNATURE,
    Check,
    Leaves,
    check_seal,
    entries_of,
    loose_ends,
    merkle_root,
    n_bytes,
    read_leaves,
    seal_text,
    write_seal,
)
from l2i.provenance.signatures import sign

SHOWN = 10  # of what is told line by line


class SealReport(NamedTuple):
    """What was sealed, or why not."""

    run: Run
    leaves: Leaves
    loose: list[str]
    signed: bool

    @property
    def outcome(self) -> Outcome:
        """What the exit code says of it."""
        return Outcome.TAMPERED if self.leaves.wrong else Outcome.FINE

    def facts(self) -> dict[str, Any]:
        """All of it, as JSON has it."""
        root = None if self.leaves.wrong else merkle_root(self.leaves.content)
        return {
            "run": str(self.run.root),
            "root": root,
            "short": root and root[:SHORT],
            "n_leaves": len(self.leaves.content),
            "signed": self.signed,
            "removed": self.leaves.removed,
            "wrong": self.leaves.wrong,
            "unfinished": self.loose,
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        if self.leaves.wrong:
            lines = [f"{name}: {what}" for name, what in self.leaves.wrong.items()]
            _list(console, "Not sealed: these are not what their records say", lines)
            console.print("To do: put them back, or give your command again, which makes them anew")
            return
        root, n = merkle_root(self.leaves.content), len(self.leaves.content)
        console.print(f"[bold]{root}[/bold]")
        console.print(f"short: {root[:SHORT]} ({4 * SHORT} bits)")
        console.print(f"over {n} results, records and notes, all in {NOTES}/{SEAL}")
        if self.signed:
            console.print(f"signed: {NOTES}/{SIGNATURE}")
        if self.leaves.removed:
            _list(console, "Not there, counted by their records:", self.leaves.removed)
        if self.loose:
            _list(console, "This run looks unfinished, and is sealed as it is:", self.loose)


def held_against_seal(run: Run, root: str | None, allowed_signers: Path | None) -> Check:
    """How a run stands to the seal `root`, or to the one that it holds; every byte is read.

    Raises
    ------
    InputError
        See `l2i.provenance.seal.check_seal`.
    """
    entries = entries_of(run)
    with progress_of_bytes("holding against the seal", n_bytes(entries)) as advance:
        leaves = read_leaves(entries, advance)
    return check_seal(run, leaves, root, allowed_signers=allowed_signers)


def _list(console: Console, heading: str, lines: list[str]) -> None:
    console.print(heading, markup=False)
    for line in lines[:SHOWN]:
        console.print(f"  {printable(line)}", markup=False)
    if len(lines) > SHOWN:
        console.print(f"  and {len(lines) - SHOWN} more (--json lists all)", markup=False)


def seal(
    run: RunFolder = None,
    key: Annotated[
        Path | None,
        typer.Option("--sign", metavar="KEY", help="Sign the seal with this private key of SSH."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Seal a run: print one hash over all its results and records.

    Put it where nobody can change it, such as into a paper or the message of a commit. Whoever
    changes a result and its record is then found by: l2i audit verify --seal HASH. Exit code: 1 a
    result is not what its record says, so nothing was sealed.
    """
    opened = open_run(run)
    if key is not None:
        sign(b"", key)  # a key that does not work is found before much is read
    entries = entries_of(opened)
    with progress_of_bytes("sealing", n_bytes(entries)) as advance:
        leaves = read_leaves(entries, advance)
    if not leaves.wrong:
        text = seal_text(leaves, sealed_at=utc_now(), git=describe_git(PROJECT))
        write_seal(opened, text, key=key)
    signed = not leaves.wrong and (opened.folder / NOTES / SIGNATURE).is_file()
    tell(SealReport(opened, leaves, loose_ends(opened), signed), as_json)
