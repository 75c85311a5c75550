"""`l2i audit verify`: whether every file of a run is what its record says."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote, urlsplit

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.opening import RunFolder, machine_of, open_run
from cli.seal import held_against_seal
from cli.showing import OUTCOMES, AsJson, Outcome, progress_of_bytes, tell, worst
from l2i.checks import printable
from l2i.datasets.verification import CorpusVerification, open_corpus
from l2i.disk import in_units
from l2i.provenance.findings import Finding, Kind, Verdict
from l2i.provenance.hashes import KnownHashes
from l2i.provenance.runs import Run
from l2i.provenance.verification import Verification

HASHES = ".hashes"  # of all runs, beside them
SHOWN = 20  # findings of a kind; --json has all


class Verified(NamedTuple):
    """What came of it."""

    run: Run
    is_quick: bool
    n_files: int
    n_records: int
    n_known: int  # files and folders that were not read
    n_bytes: int  # that were
    seconds: float
    findings: list[Finding]
    seal: str | None = None  # that holds

    @property
    def outcome(self) -> Outcome:
        """The worst of all findings."""
        return worst(*(OUTCOMES[found.kind.verdict] for found in self.findings))

    def facts(self) -> dict[str, Any]:
        """All of it, every finding by itself."""
        return {
            "run": str(self.run.root),
            "folder": str(self.run.folder),
            "quick": self.is_quick,
            "n_files": self.n_files,
            "n_records": self.n_records,
            "n_known": self.n_known,
            "bytes_read": self.n_bytes,
            "seconds": round(self.seconds, 3),
            "bytes_per_second": round(self.n_bytes / self.seconds),
            "seal": self.seal,
            "findings": [
                {
                    "kind": found.kind.name.lower(),
                    "verdict": found.kind.verdict.value,
                    "path": found.path,
                    "what": found.what,
                    "remedy": found.kind.remedy,
                }
                for found in self.findings
            ],
        }

    def show(self, console: Console) -> None:
        """A line for all, then what was found, by its kind."""
        rate = in_units(round(self.n_bytes / self.seconds))
        console.print(
            f"{escape(printable(str(self.run.folder)))}: "
            f"{self.n_files} files, {self.n_records} records; "
            f"{in_units(self.n_bytes)} read in {self.seconds:.1f} s ({rate}/s)"
        )
        if self.is_quick:
            console.print(
                f"--quick: {self.n_known} files and folders were not read, since nothing has "
                "touched them after they were hashed. Without it every byte is read"
            )
        for kind, found in itertools.groupby(self.findings, lambda finding: finding.kind):
            console.print(_table_of(kind, [*found]))
        if self.seal is not None:
            console.print(escape(self.seal))
        console.print(self._in_a_word())

    def _in_a_word(self) -> str:
        if self.outcome is Outcome.FINE:
            return "[green]All is as the records say[/green]"
        n_of = Counter(found.kind.verdict for found in self.findings)
        told = [f"{n_of[verdict]} {verdict}" for verdict in Verdict if n_of[verdict]]
        return f"[red]Not as the records say:[/red] {', '.join(told)}"


def verify(
    run: RunFolder = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Do not read what nothing has touched since it was hashed."),
    ] = False,
    seal: Annotated[
        str | None,
        typer.Option(
            metavar="HASH",
            help="Hold the run against this seal, too, as l2i audit seal printed it.",
        ),
    ] = None,
    allowed_signers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Require a signature of the seal by one of these, in the form of ssh-keygen.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Hold every file of a run, and its corpora, against the records.

    Reads every byte unless --quick, and writes nothing. Exit codes: 1 something was tampered with,
    2 something was made of what was made anew since, 3 something has no record.
    """
    found = verified(open_run(run), is_quick=quick)
    if seal is not None or allowed_signers is not None:
        found = sealed(found, seal, allowed_signers)
    tell(found, as_json)


def sealed(found: Verified, root: str | None, allowed_signers: Path | None) -> Verified:
    """What was found, with what is not as it was sealed.

    Raises
    ------
    InputError
        See `l2i.provenance.seal.check_seal`.
    """
    check = held_against_seal(found.run, root, allowed_signers)
    if check.findings:
        return found._replace(findings=[*found.findings, *check.findings])
    by = f", signed by {', '.join(check.signed_by)}" if check.signed_by else ""
    told = f"over {check.n_leaves} results, records and notes{by}"
    return found._replace(seal=f"the seal {check.root} holds, {told}")


def verified(run: Run, *, is_quick: bool = False) -> Verified:
    """Hold a run and its corpora against the records; nothing is written."""
    began = time.perf_counter()
    machine = machine_of(run)
    known = KnownHashes(run.folder.absolute().parent / HASHES) if is_quick else None
    of_run = Verification(run, known=known, apart=_apart(run, machine))
    corpora = [*_corpora(run, machine, is_quick)]
    of_corpora = [each for each in corpora if isinstance(each, CorpusVerification)]
    parts: list[Verification | CorpusVerification] = [of_run, *of_corpora]
    n_bytes = sum(part.n_bytes for part in parts)
    with progress_of_bytes("verifying", n_bytes) as advance:
        found = [each for part in parts for each in part.findings(advance)]
    found += [each for each in corpora if isinstance(each, Finding)]
    worst_first = [*Kind]
    return Verified(
        run=run,
        is_quick=is_quick,
        n_files=sum(part.n_files for part in parts),
        n_records=of_run.n_records,
        n_known=sum(part.n_known for part in parts),
        n_bytes=n_bytes,
        seconds=time.perf_counter() - began,
        findings=sorted(found, key=lambda each: (worst_first.index(each.kind), *each[1:])),
    )


def _corpora(
    run: Run, machine: dict[str, Any], is_quick: bool
) -> Iterator[CorpusVerification | Finding]:
    """The corpora that the run has listed, or why they are not verified."""
    data = _in_run(run, machine.get("data"))
    for listing in sorted(run.folder.glob("datasets/*/files.json")):
        dataset = listing.parent.name
        if data is None:
            what = "nothing says where it lies: the configuration of the run cannot be read"
            yield Finding(Kind.AWAY, printable(dataset), what)
        else:
            yield open_corpus(listing, data / dataset, is_quick=is_quick)


def _in_run(run: Run, path: Any) -> Path | None:
    """Where that lies which the configuration names: in the run, wherever that is, or outside."""
    return run.file(str(Path(path).expanduser())) if isinstance(path, str) else None


def _apart(run: Run, machine: dict[str, Any]) -> list[Path]:
    """Corpora, and what is downloaded from the disk: the demo has both in its run."""
    urls = [str(url) for url in (machine.get("urls") or {}).values()]
    local = [unquote(urlsplit(url).path) for url in urls if urlsplit(url).scheme == "file"]
    places = [machine.get("data"), *(path.partition("{")[0] for path in local)]
    found = (_in_run(run, place) for place in places)
    return [path for path in found if path is not None]


def _table_of(kind: Kind, found: list[Finding]) -> Table:
    colour = "red" if OUTCOMES[kind.verdict] else "yellow"
    table = Table(
        title=f"[{colour}]{len(found)} x {kind.title}[/{colour}] ({kind.verdict})",
        caption=f"To do: {kind.remedy}",
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        show_header=False,
    )
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for each in found[:SHOWN]:
        table.add_row(escape(each.path), escape(each.what))
    if len(found) > SHOWN:
        table.add_row(f"and {len(found) - SHOWN} more", "--json names them all")
    return table
