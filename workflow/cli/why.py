"""`l2i audit why`: where a result, or one number of a table, comes from."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NamedTuple

import pandas as pd
import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from cli.opening import RunOption, open_run, run_of
from cli.recomputation import Recomputation, recompute_cell
from cli.showing import OUTCOMES, AsJson, NoRecord, Outcome, tell, worst
from l2i.checks import InputError, printable
from l2i.datasets.pieces import spans_of
from l2i.disk import replace_text
from l2i.features.audio import Span
from l2i.hashing import file_sha256
from l2i.pages.accounts import SHOWN, account_of, leaves, summary_of, told_breaks
from l2i.pages.provenance import Section, provenance_page
from l2i.provenance.digests import file_of, is_digest
from l2i.provenance.lineage import Break, Lineage, Node, Record
from l2i.provenance.records import is_record, record_path, result_of
from l2i.provenance.runs import Run
from l2i.reporting.cells import Cell, find_cell, parse_address, titles_in
from l2i.reporting.evidence import Evidence, evidence_of
from l2i.tables import read_rows

SMALL = 8 * 2**20  # bytes; what is larger is left to `verify`
MANY = 20  # settings under one name, of which a tree tells no more than how many there are
FEW = 6  # paths or clips of one kind that a tree shows
OUTSIDE = "outside of the run"
PER_CLIP = ("clip", "dataset")  # columns of scores


def why(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="A result, such as results/demo/tables/table_4.csv, or one number of a table: "
            "table_4.csv:l2i_att,esc50,top_1 or 'Table IV, L2I w/ ATT, ESC-50, top-1'.",
        ),
    ],
    run: RunOption = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the answer as a page with a graph, too."),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full", help="Recompute the interval and p of a number as well, by all random draws."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Tell where a result or a number comes from, down to the clips.

    Reads records and small files; `l2i audit verify` reads every byte. Exit codes: 1 a number is
    not what its scores give, or a small file not what its record says, 2 something was made of what
    was made anew since, 3 something has no record.
    """
    story = find_story(what, run, full=full)
    if html is not None:
        replace_text(html, provenance_page(story.account()))
    tell(story, as_json)


def find_story(what: str, folder: Path | None, *, full: bool = False) -> Story:
    """The story of what a person names.

    Raises
    ------
    InputError
        It names nothing that has a record, or a number that there is not.
    """
    run, name, cell = _meant(what, folder)
    record = run.record(name)
    if record is None:
        lacking = record_path(run.file(name))
        raise NoRecord(
            f"{run.file(name)} has no record that can be read ({lacking}), so nothing tells where "
            "it comes from: l2i audit verify tells what else is wrong"
        )
    if cell is None:
        return Story(what, run, name, None, None, None)
    evidence = evidence_of(cell, record, _record_of(run))
    again = recompute_cell(cell, record, run.file, _record_of(run), full=full)
    return Story(what, run, name, cell, evidence, again)


def _record_of(run: Run) -> Any:
    def record(path: str) -> Record:
        found = run.record(path)
        if found is None:
            raise InputError(f"{path} has no record that can be read")
        return found

    return record


def _meant(what: str, folder: Path | None) -> tuple[Run, str, Cell | None]:
    """The run, the result as records call it, and the cell, if one is named."""
    path = Path(what)
    if not path.name:
        raise InputError(f"{what!r} is no result: name a file of a run, or a number of a table")
    if not os.path.lexists(path) and folder is not None and os.path.lexists(folder / what):
        path = folder / what
    if os.path.lexists(path):
        if is_record(path):
            path = result_of(path)
        if is_digest(str(path)):
            path = Path(file_of(str(path)))
        run = Run(folder) if folder is not None else run_of(path)
        return run, run.named(path), None
    before, suffix, _ = what.partition(".csv")
    named = Path(before + suffix)
    inside = suffix and folder is None and named.is_file()
    run = run_of(named) if inside else open_run(folder)
    if record_path(run.folder / what).exists():  # a result that is not there any more
        return run, run.named(run.folder / what), None
    tables = {
        path.stem: path
        for stage in ("tables", "figures")
        for path in sorted((run.folder / stage).glob("*.csv"))
    }
    address = parse_address(what, tables)
    table = tables[address.table]
    if not address.pieces:
        return run, run.named(table), None
    record = run.record(run.named(table))
    titles = titles_in(record["settings"]) if record else {}
    return run, run.named(table), find_cell(address, read_rows(table), titles=titles)


class Clip(NamedTuple):
    """A clip that scores are of."""

    dataset: str
    name: str
    path: str
    fold: str
    sha256: str
    span: Span | None  # of a piece of the file

    @property
    def place(self) -> str:
        """Its file, and where in it."""
        if self.span is None:
            return self.path
        return f"{self.path}, {self.span.n_samples} samples from {self.span.first_sample}"


@dataclass(frozen=True)
class Story:
    """Where a result comes from."""

    asked: str
    run: Run
    name: str
    cell: Cell | None
    evidence: Evidence | None
    again: Recomputation | None

    @cached_property
    def lineage(self) -> Lineage:
        """All that it was made of; of a cell, only the scores that this rests on."""
        only = None if self.evidence is None else [each["path"] for each in self.evidence.inputs]
        return Lineage([self.name], self.run.record, only)

    @cached_property
    def breaks(self) -> list[Break]:
        """Links that do not hold, and that nobody has accepted."""
        accepted = {
            (name, used["path"], used["sha256"])
            for name, found in self.accepted.items()
            for used in found[-1]["after"]["inputs"]
        }
        return [
            each
            for each in self.lineage.breaks()
            if (each.link.target, each.link.source, each.said) not in accepted
        ]

    @cached_property
    def accepted(self) -> dict[str, list[dict[str, Any]]]:
        """By result, what people have accepted it as."""
        found = {name: self.run.accepted(name) for name in self.lineage.nodes}
        return {name: each for name, each in found.items() if each}

    @cached_property
    def states(self) -> dict[str, str]:
        """Of results that are not as their records say, as far as small files tell."""
        known = dict.fromkeys(self.accepted, "accepted")
        broken = {each.link.target: "stale" for each in self.breaks if each.said}
        lost = {name: "no record" for name, node in self.lineage.nodes.items() if not node.record}
        return known | broken | lost | dict.fromkeys(self._changed(), "tampered")

    def _changed(self) -> Iterator[str]:
        for name, node in self.lineage.nodes.items():
            path = self.run.file(name)
            if node.record is None or not path.is_file() or path.stat().st_size > SMALL:
                continue
            output = node.record["output"]
            if output["kind"] != "file" or file_sha256(path) != output["sha256"]:
                yield name

    @cached_property
    def findings(self) -> list[str]:
        """What does not hold, a sentence each."""
        found = [
            f"{name} is not what its record says."
            for name in sorted(self.states)
            if self.states[name] == "tampered"
        ]
        if self.again is not None and not self.again.agrees:
            found.append(f"{self._told_again()}.")
        found += told_breaks(self.breaks)
        told = {each.link.source for each in self.breaks}
        lost = [name for name, state in self.states.items() if state == "no record"]
        return found + [f"{name} has no record." for name in lost if name not in told]

    @property
    def outcome(self) -> Outcome:
        """Tampered, stale or without a record, whichever is worst."""
        found = [OUTCOMES[state] for state in self.states.values() if state in OUTCOMES]
        if self.again is not None and not self.again.agrees:
            found.append(Outcome.TAMPERED)
        return worst(*found)

    @cached_property
    def clips(self) -> list[Clip]:
        """The clips that the scores of a cell are of, by the index of their data set."""
        if self.evidence is None:
            return []
        scored: dict[str, set[str]] = {}
        for used in self.evidence.inputs:
            rows = _scores(self.run.file(used["path"]))
            for dataset, clip in set(zip(rows["dataset"], rows["clip"], strict=True)):
                scored.setdefault(dataset, set()).add(clip)
        return [clip for dataset in sorted(scored) for clip in self._of(dataset, scored[dataset])]

    def _of(self, dataset: str, names: set[str]) -> Iterator[Clip]:
        index = self.run.folder / "datasets" / dataset / "index.csv"
        if not index.is_file():
            return
        rows = read_rows(index)
        where = "fold" if "fold" in rows else "split"
        rows = rows[rows["clip"].isin(names)]
        for row, span in zip(rows.to_dict("records"), spans_of(rows), strict=True):
            yield Clip(dataset, row["clip"], row["path"], str(row[where]), row["sha256"], span)

    @cached_property
    def sources(self) -> list[tuple[str, str]]:
        """What the publisher pins of each data set that is in it, or that it lies in a folder."""
        found = []
        for node in self.lineage.nodes.values():
            path = PurePosixPath(node.name)
            if node.record is None or path.name != "index.csv":
                continue
            dataset = node.record["wildcards"]["dataset"]
            fetched = [each.record for each in self.lineage.above(node.name) if each.record]
            if not fetched:
                told = "a local folder: nobody pins it; files.json has the sha256 of each file"
            for record in fetched:
                files = record["settings"]["pins"]["files"]
                told = f"download {record['settings']['download']}: " + "; ".join(
                    f"{each['name']} {_told_pin(each)}" for each in files
                )
            found.append((dataset, told))
        return found

    # ------------------------------------------------------------ told

    def account(self) -> Any:
        """For the page."""
        more = {
            name: [Section("Accepted", [*map(_told_acceptance, found)])]
            for name, found in self.accepted.items()
        }
        if self.clips:
            rows = [(f"{c.dataset} {c.name}", f"{c.place}\n{c.sha256}") for c in self.clips]
            more[self.name] = [Section(f"Clips ({len(rows)})", rows)]
        account = account_of(
            self._title(),
            self.lineage,
            summary=[Section(title, rows) for title, rows in self._summary() if rows],
            states=self.states,
            more=more,
        )
        return account._replace(findings=self.findings)

    def _title(self) -> str:
        return self.cell.name if self.cell is not None else self.name

    def _summary(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        if self.cell is not None:
            number = [(c, _plain(v)) for c, v in self.cell.number.items() if v is not None]
            yield "The number", [*self.cell.keys.items(), *number]
        if self.again is not None and self.evidence is not None:
            yield (
                "Recomputed",
                [
                    ("from", f"{len(self.evidence.inputs)} files of scores: {self.evidence.why}"),
                    ("result", self._told_again()),
                ],
            )
        yield "Data", [*self.sources, *self._told_clips()]
        yield "Code", [*self._told_code()]

    def _told_again(self) -> str:
        assert self.again is not None
        if not self.again.found:
            return "recomputed from its scores, the table has no such row"
        off = [each for each in self.again.compared if not each.agrees]
        if off:
            told = "; ".join(
                f"{each.column} is {_plain(each.printed)} in the table and "
                f"{_plain(each.recomputed)} by the scores"
                for each in off
            )
            return f"it is not what its scores give: {told}"
        names = ", ".join(each.column for each in self.again.compared if each.printed is not None)
        left = self.again.not_compared
        also = f" ({', '.join(left)} with --full)" if left else ""
        return f"the scores give the same {names}{also}"

    @cached_property
    def code(self) -> dict[str, Any]:
        """What the code of each fingerprint did, function by function; None where nobody noted."""
        records = [node.record for node in self.lineage.nodes.values() if node.record]
        found = dict.fromkeys(record["fingerprints"]["code"] for record in records)
        return {fingerprint: self.run.code(fingerprint) for fingerprint in found}

    def _told_code(self) -> Iterator[tuple[str, str]]:
        rules: dict[str, dict[str, None]] = {}
        for node in self.lineage.nodes.values():
            if node.record is not None:
                rules.setdefault(node.record["fingerprints"]["code"], {})[node.rule or ""] = None
        for fingerprint, parts in self.code.items():
            n_parts = sum(map(len, parts.values())) if parts else 0
            what = f"{len(parts)} files, {n_parts} parts" if parts else "no note of what it did"
            yield ", ".join(rules[fingerprint]), f"{fingerprint[:SHOWN]}: {what}"

    def _told_clips(self) -> Iterator[tuple[str, str]]:
        for dataset in dict.fromkeys(clip.dataset for clip in self.clips):
            of = [clip for clip in self.clips if clip.dataset == dataset]
            folds = Counter(clip.fold for clip in of)
            told = ", ".join(f"{n} of fold {fold}" for fold, n in sorted(folds.items()))
            shown = ", ".join(f"{clip.name} {clip.sha256[:SHOWN]}" for clip in of[:FEW])
            more = f", and {len(of) - FEW} more" if len(of) > FEW else ""
            yield f"clips of {dataset}", f"{len(of)} ({told}): {shown}{more}"

    def facts(self) -> dict[str, Any]:
        """All of it."""
        return {
            "run": str(self.run.root),
            "asked": self.asked,
            "result": self.name,
            "findings": self.findings,
            "cell": None if self.cell is None else {**self.cell.keys, **_json(self.cell.number)},
            "recomputed": self._again_as_json(),
            "scores": [each["path"] for each in self.evidence.inputs] if self.evidence else [],
            "clips": [clip._asdict() for clip in self.clips],
            "sources": dict(self.sources),
            "code": self.code,
            "results": [
                {
                    "path": name,
                    "state": self.states.get(name, "recorded"),
                    "record": node.record,
                    "accepted": self.accepted.get(name, []),
                }
                for name, node in self.lineage.nodes.items()
            ],
            "links": [link._asdict() for link in self.lineage.links],
        }

    def _again_as_json(self) -> dict[str, Any] | None:
        if self.again is None:
            return None
        columns = {
            each.column: _json(
                {"printed": each.printed, "recomputed": each.recomputed, "agrees": each.agrees}
            )
            for each in self.again.compared
        }
        return {
            "agrees": self.again.agrees,
            "columns": columns,
            "not_compared": list(self.again.not_compared),
        }

    def show(self, console: Console) -> None:
        """As a tree, from the number to the data."""
        tree = Tree(f"[bold]{_safe(self._title())}[/]")
        for finding in self.findings:
            tree.add(f"[bold red]does not hold:[/] {_safe(finding)}")
        for title, rows in self._summary():
            _add(tree, title, rows)
        for rule, nodes in self._by_rule().items():
            self._add_rule(tree, rule, nodes)
        for section in summary_of(self.lineage):
            _add(tree, section.title, section.rows)
        console.print(tree, soft_wrap=False)  # else it is cut off at the width

    def _by_rule(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.lineage.nodes.values():
            found.setdefault(node.rule or OUTSIDE, []).append(node)
        return found

    def _add_rule(self, tree: Tree, rule: str, nodes: list[Node]) -> None:
        branch = tree.add(f"[bold]{_safe(rule)}[/]{_safe(_of_wildcards(nodes))}")
        for node in nodes[:FEW]:
            state = self.states.get(node.name)
            sha256 = node.record["output"]["sha256"][:SHOWN] if node.record else "no record"
            mark = f" [bold red]{state}[/]" if state else ""
            result = branch.add(f"{_safe(node.name)} [dim]{sha256}[/]{mark}")
            _add(result, "accepted", map(_told_acceptance, self.accepted.get(node.name, [])))
        if len(nodes) > FEW:
            branch.add(f"and {len(nodes) - FEW} more")
        records = [node.record for node in nodes if node.record]
        if records:
            rows = _in_common([dict(leaves(record["settings"])) for record in records])
            _add(branch, "settings", _folded(rows))
            seeds = _in_common([{k: str(v) for k, v in r["seeds"].items()} for r in records])
            _add(branch, "seeds", seeds)


def _of_wildcards(nodes: Iterable[Node]) -> str:
    """Such as `(dataset esc50; fold 1, 2)`."""
    found: dict[str, dict[str, None]] = {}
    for node in nodes:
        for name, value in (node.record["wildcards"] if node.record else {}).items():
            found.setdefault(name, {})[value] = None
    told = "; ".join(f"{name} {', '.join(values)}" for name, values in found.items())
    return f" ({told})" if told else ""


def _in_common(trees: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Leaves of several trees: one value where all have it, else each."""
    names = dict.fromkeys(name for tree in trees for name in tree)
    values = {name: dict.fromkeys(t[name] for t in trees if name in t) for name in names}
    return [(name, " | ".join(found)) for name, found in values.items()]


def _folded(rows: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Settings, with a line in the place of many that begin alike, as all numbers of the paper."""
    n_of = Counter(_first_of(label) for label, _ in rows)
    told = set()
    for label, text in rows:
        first = _first_of(label)
        if n_of[first] <= MANY:
            yield label, text
        elif first not in told:
            told.add(first)
            yield first, f"{n_of[first]} values (--json has them)"


def _first_of(label: str) -> str:
    return re.split(r"[.[]", label, maxsplit=1)[0]


def _add(tree: Tree, title: str, rows: Iterable[tuple[str, str]]) -> None:
    rows = list(rows)
    if not rows:
        return
    branch = tree.add(f"[bold]{_safe(title)}[/]" if title[0].isupper() else _safe(title))
    for label, text in rows:
        lines = text.splitlines() or [""]
        inner = branch.add(f"[dim]{_safe(label)}[/] {_safe(lines[0])}")
        for line in lines[1:]:
            inner.add(_safe(line))


def _safe(text: str) -> str:
    """Nothing from outside steers the terminal, or is markup of the tree."""
    return escape(printable(text))


def _told_acceptance(one: dict[str, Any]) -> tuple[str, str]:
    return f"{one['time']} by {one['user']} on {one['host']}", one["reason"]


def _told_pin(file: dict[str, Any]) -> str:
    kind = "sha256" if "sha256" in file else "md5"
    return f"{kind} {file[kind]}"


def _scores(path: Path) -> pd.DataFrame:
    """Clips of a file of scores; none of what is no such file."""
    empty = pd.DataFrame({name: [] for name in PER_CLIP})
    if path.suffix != ".csv" or not path.is_file():
        return empty
    rows = read_rows(path)
    return rows if set(PER_CLIP) <= set(rows.columns) else empty


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _json(values: Any) -> Any:
    return json.loads(json.dumps(dict(values), default=str))
