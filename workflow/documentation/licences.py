"""The licences of what `make env` installs, as the packages state them, into docs/licences.md.

What the locks pin for other Pythons and systems is not installed where this runs: of such a package
the page keeps its row while the version is the same; for a new one install it somewhere and name
that folder in PYTHONPATH. Nothing is guessed: a package that states no licence is listed so.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, files, metadata
from typing import NamedTuple

from documentation.places import DOCS, PROJECT
from l2i.checks import InputError
from l2i.provenance.environments import read_lock
from l2i.reporting.pipe_tables import pipe_table

PAGE = DOCS / "licences.md"
NONE_STATED = "none stated"
# The locks that make .venv, by what they are for; a package stands under the first that pins it.
LOCKS = {
    "compute": "results",
    "workflow": "planning",
    "dev": "development",
    "installers": "installing",
}
# What packages call a licence, in place of its SPDX identifier.
SPDX = {
    "2-clause BSD": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD",
    "GNU General Public License (GPL)": "GPL",
    "GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "ISC license": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "NVIDIA Proprietary Software": "LicenseRef-NVIDIA-Proprietary",
    "Python Software Foundation License": "PSF-2.0",
    "Public Domain": "public domain",
    "W3C-20150513": "W3C-20150513",
}
# May be used, changed and passed on, also inside of what is closed, if their text goes along.
PERMISSIVE = {
    *(
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
    ),
    *("CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "public domain", "Unlicense"),
    *("W3C-20150513", "Zlib"),
}
TEXT = """# Licences of the dependencies

Written by `make licences` from what the packages that `make env` installs state of themselves; a
test holds it to the locks. This project itself is under the [MIT licence](../LICENSE) and contains
none of them. What a wheel bundles (libsndfile in soundfile, which is under the LGPL; OpenBLAS and
the runtime of gfortran in NumPy and SciPy; much in PyTorch) stands in the licence files of that
package.

## Not permissive

To use them here needs nothing; to pass them on, in a container for example, read these first.

{others}

## All

{all}
"""


class Row(NamedTuple):
    """A locked package."""

    package: str
    version: str
    licence: str
    needed_for: str


def locked() -> dict[str, tuple[str, str]]:
    """Package -> its version, and what it is needed for."""
    found: dict[str, tuple[str, str]] = {}
    for lock, purpose in LOCKS.items():
        for package, version in read_lock(PROJECT / f"envs/{lock}.txt").versions.items():
            found.setdefault(package, (version, purpose))
    return dict(sorted(found.items()))


def written() -> list[Row]:
    """The rows of the page as it is; of all packages, which is its last table."""
    text = PAGE.read_text(encoding="utf-8").rpartition("## All")[2] if PAGE.is_file() else ""
    cells = (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| "))
    return [Row(*(cell.strip() for cell in row)) for row in cells][2:]


def licence_of(package: PackageMetadata) -> str:
    """The licence that a package states, as SPDX writes it where that is clear.

    In this order: the expression that is made for it, the free text if it is a name, classifiers,
    and the title of its file.
    """
    stated = package.json  # None where a field is missing
    if expression := stated.get("license_expression"):
        return str(expression)
    if (name := str(stated.get("license", ""))) and known(name):
        return spdx(name)
    classifiers = [each for each in stated.get("classifier", []) if each.startswith("License ::")]
    names = [spdx(each.split(" :: ")[-1]) for each in classifiers]
    if clear := [name for name in names if known(name)]:
        return " OR ".join(dict.fromkeys(clear))
    return _title_of_file(str(stated["name"])) or NONE_STATED


def _title_of_file(name: str) -> str | None:
    for path in files(name) or []:
        if path.name == "LICENSE" and ".dist-info" in path.parts[0]:
            title = path.read_text(encoding="utf-8").strip().partition("\n")[0].strip()
            return spdx(title) if known(title) else None
    return None


def spdx(name: str) -> str:
    """The identifier of a licence, by what a package calls it."""
    return SPDX.get(name, name)


def known(name: str) -> bool:
    """Whether a text is the name of a licence, or several, and not the licence itself."""
    parts = re.split(r" (?:AND|OR) ", name)
    return all(part in {*SPDX, *SPDX.values(), *PERMISSIVE} for part in parts)


def is_permissive(licence: str) -> bool:
    """Whether one of the alternatives asks for no more than that its text goes along."""
    alternatives = licence.strip("()").split(" OR ")
    return any(all(p in PERMISSIVE for p in each.split(" AND ")) for each in alternatives)


def rows() -> list[Row]:
    """A row for each locked package.

    Raises
    ------
    InputError
        Of one that is not installed here, nothing is known.
    """
    kept = {(row.package, row.version): row for row in written()}
    found = []
    for package, (version, purpose) in locked().items():
        try:
            stated = metadata(package)
        except PackageNotFoundError:
            stated = None
        if stated is not None and stated["Version"].partition("+")[0] == version:
            found.append(Row(package, version, licence_of(stated), purpose))
        elif (package, version) in kept:
            found.append(kept[package, version]._replace(needed_for=purpose))
        else:
            raise InputError(
                f"{package} {version} is locked but not installed here, so its licence is "
                "unknown: run make env, or, if it is for another platform, install it into a "
                f"folder (pip install --no-deps --target FOLDER {package}=={version}) and name "
                "that in PYTHONPATH"
            )
    return found


def page(found: list[Row]) -> str:
    """The page: what is not permissive, then everything."""
    others = [row for row in found if not is_permissive(row.licence)]
    return TEXT.format(others=_table(others), all=_table(found))


def _table(found: list[Row]) -> str:
    titled = [
        {name.replace("_", " "): cell for name, cell in row._asdict().items()} for row in found
    ]
    return pipe_table(titled)
