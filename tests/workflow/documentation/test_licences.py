"""docs/licences.md: a licence for each locked package, as it states it."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import PackageMetadata

import pytest

from documentation import licences


def test_the_page_has_each_locked_package_in_its_version_and_no_other():
    listed = {row.package: (row.version, row.needed_for) for row in licences.written()}
    assert listed == licences.locked(), "run `make licences`"


def test_the_page_is_what_its_rows_give():
    assert licences.page(licences.written()) == licences.PAGE.read_text()


def test_no_licence_is_unknown_that_a_package_states_itself():
    """What is stated nowhere is a metapackage of NVIDIA's."""
    silent = {row.package for row in licences.written() if row.licence == licences.NONE_STATED}
    assert silent == {"cuda-toolkit"}


@pytest.mark.parametrize(
    ("licence", "permissive"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND MIT", True),
        ("MPL-2.0 AND MIT", False),
        ("GPL OR BSD", True),
        ("LGPL-2.1-or-later", False),
        ("LicenseRef-NVIDIA-Proprietary", False),
        ("Apache-2.0 WITH LLVM-exception AND BSD-2-Clause", True),
        ("none stated", False),
        ("MIT-like, but not for Mondays", False),
    ],
)
def test_what_is_not_known_to_be_permissive_is_not(licence, permissive):
    assert licences.is_permissive(licence) == permissive


class Stated(Message):
    """Metadata of a package that is not there, as `importlib.metadata` gives it."""

    @property
    def json(self) -> dict:
        found = {key.lower().replace("-", "_"): value for key, value in self.items()}
        return found | {"classifier": self.get_all("Classifier", [])}


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ([("License-Expression", "MIT AND PSF-2.0"), ("License", "BSD")], "MIT AND PSF-2.0"),
        ([("License", "Apache License, Version 2.0")], "Apache-2.0"),
        ([("License", "Copyright (c) 2001 somebody"), ("Classifier", "License :: OSI Approved :: "
                                                       "BSD License")], "BSD"),
        ([("Classifier", "License :: OSI Approved :: Apache Software License"),
          ("Classifier", "License :: OSI Approved :: BSD License")], "Apache-2.0 OR BSD"),
    ],
)  # fmt: skip
def test_a_licence_is_read_where_it_is_stated_most_clearly(fields, licence):
    stated: PackageMetadata = Stated()
    stated["Name"] = "any"
    for key, value in fields:
        stated[key] = value
    assert licences.licence_of(stated) == licence


def test_a_package_that_is_neither_installed_nor_listed_is_refused_with_the_remedy(monkeypatch):
    monkeypatch.setattr(licences, "locked", lambda: {"no-such-package": ("1.0", "results")})
    with pytest.raises(licences.InputError, match=r"no-such-package 1.0 is locked.*--target"):
        licences.rows()
