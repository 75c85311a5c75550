"""A report of the benchmark, as Markdown: whole, and by blocks of a page.

The benchmark writes it (workflow/bench), `python -m documentation take results/bench` keeps it in
docs/measured/bench, and a block `<!-- measured: bench VIEW -->` shows of it what `VIEWS` names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from documentation.places import MEASURED
from l2i.checks import InputError
from l2i.disk import replace_text
from l2i.reporting.pipe_tables import escaped, pipe_table

RUN = "bench"  # as blocks call it
FILE = "report.json"
Report = Mapping[str, Any]


def report_page(report: Report) -> str:
    """The whole report, as it lies beside its JSON."""
    return "\n\n".join(["# Benchmark", *(view(report) for view in VIEWS.values())]) + "\n"


def shown(folder: Path, view: str) -> str:
    """What a block shows of the report that is kept in a folder.

    Raises
    ------
    InputError
        If the block names nothing that can be shown.
    """
    if view not in VIEWS:
        raise InputError(f"a block names {view}; there are {', '.join(VIEWS)}")
    return VIEWS[view](json.loads((folder / FILE).read_text(encoding="utf-8")))


def take_report(results: Path, measured: Path = MEASURED) -> str:
    """Keep the report of a folder for the pages; returns what was done.

    Raises
    ------
    InputError
        It was made with tiny sizes, whose numbers say nothing.
    """
    text = (results / FILE).read_text(encoding="utf-8")
    report = json.loads(text)
    if report["tiny"]:
        raise InputError(f"{results / FILE} was made with --tiny: measure anew without it")
    kept = measured / RUN / FILE
    kept.parent.mkdir(parents=True, exist_ok=True)
    replace_text(kept, text)
    failed = [part["title"] for part in report["parts"] if part["error"]]
    busy = [part["title"] for part in report["parts"] if part["others"]["disturbed"]]
    said = [f"the report is in {kept}"]
    said += [f"failed, and the page will say so: {', '.join(failed)}"] if failed else []
    said += [f"others were busy during: {', '.join(busy)}"] if busy else []
    return "\n".join(said)


# ---------------------------------------------------------------- views


def machine_lines(report: Report) -> str:
    """When, at which commit and on what it was measured, a point each."""
    machine, commit = report["machine"], report["machine"]["commit"]
    disk, gpu = machine["disk"], machine["gpu"]
    state = "of no commit"
    if commit:
        state = f"at {commit['commit'][:7]}{', with uncommitted changes' * commit['dirty']}"
    software = ", ".join(f"{name} {version}" for name, version in machine["software"].items())
    rates = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in machine["gemm"].items())
    points = [
        f"{machine['at']}, {state}, on {report['audio']}",
        f"{machine['n_cores']} cores of {machine['cpu']} ({', '.join(machine['units'])}), "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB; {machine['system']}",
        f"matrix products, GFLOP/s: {rates}",
        f"disk, MB/s: {disk['write'] / 1e6:.0f} written, {disk['read'] / 1e6:.0f} read; "
        f"{disk['free'] / 2**30:.0f} GiB free",
        f"GPU: {gpu['name']}, driver {gpu['driver']}, CUDA {gpu['cuda']}" if gpu else "GPU: none",
        software,
    ]
    if report["tiny"]:
        points.insert(0, "**Tiny sizes: this shows that the parts work, and its numbers nothing.**")
    return "\n".join(f"- {point}" for point in points)


def bars_table(report: Report) -> str:
    """Every quantity beside what it is compared with, its floor and its bar; failures in place."""
    return pipe_table([line for part in report["parts"] for line in _lines(part)])


def _lines(part: Mapping[str, Any]) -> list[dict[str, str]]:
    lines = [
        {
            "what": row["name"],
            "unit": row["unit"],
            **{key: _number(row[key]) for key in ("ours", "theirs", "ratio")},
            "floor": _number(row["floor"]),
            "bar": _bar(row),
            "": {"no bar": ""}.get(row["verdict"], row["verdict"]),
            "note": row["note"],
        }
        for row in part["rows"]
    ]
    if part["error"]:
        blank = dict.fromkeys(("unit", "ours", "theirs", "ratio", "floor", "bar"), "")
        lines.append({"what": part["title"], **blank, "": "failed", "note": part["error"]})
    return lines


def _number(value: float | None) -> str:
    """A number with three significant digits, nothing for None."""
    return "" if value is None else f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _bar(row: Mapping[str, Any]) -> str:
    if row["bar"] is None:
        return ""
    return f"at {'least' if row['is_least'] else 'most'} {row['bar']:g}"


def parts_table(report: Report) -> str:
    """What was left out, how long each part took, and what else the machine did meanwhile."""
    table = pipe_table(
        [
            {
                "part": part["title"],
                "seconds": f"{part['seconds']:.0f}",
                "CPU seconds": f"{part['cpu_seconds']:.0f}",
                "cores used by others": f"{part['others']['cores']:.2f}",
            }
            for part in report["parts"]
        ]
    )
    busy = [part["title"] for part in report["parts"] if part["others"]["disturbed"]]
    said = []
    if report["left_out"]:
        said.append(f"Left out of this run: {', '.join(report['left_out'])}.")
    if busy:
        during = escaped(", ".join(busy))
        said.append(f"**The machine was not quiet**: others computed during {during}.")
    return "\n\n".join([*said, table])


VIEWS: dict[str, Callable[[Report], str]] = {
    "machine": machine_lines,
    "bars": bars_table,
    "parts": parts_table,
}
