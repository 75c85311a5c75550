from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.names import ALL_CLASSES, LONGEST_NAME, file_name, why_unshowable

HOSTILE = ["/tmp/evil", "..", ".", "door/knock", "a\0b", "x" * 300, "鼓" * 300, "", " ", "~", "a~b"]
HOSTILE += [
    "-rf",
    "a\nb",
    "\x1b[2J",
    "\udc80",
    "C:\\x",
    "e\u0301",
    "nul.txt",
    "*",
    "%2F",
    ".hidden",
]


@pytest.mark.parametrize(
    "name", ["dog", "human-voice", "washing_machine", "007", "大提琴", "Flöte"]
)
def test_what_is_safe_is_its_own_name(name):
    assert file_name(name) == name
    assert why_unshowable(name) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_any_name_lies_in_its_folder(name, tmp_path):
    path = tmp_path / f"{file_name(name)}.wav"
    path.write_bytes(b"")
    (tmp_path / file_name(name)).mkdir()
    assert sorted(os.listdir(tmp_path)) == sorted([path.name, file_name(name)])
    assert not path.name.startswith(".")


@given(st.text(max_size=400), st.text(max_size=400))
def test_different_names_stay_different(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)
    assert len(file_name(one).encode()) <= 100
    assert not set("/\\\0.\n ") & set(file_name(one))


def test_a_name_cannot_pretend_to_be_that_of_another():
    assert file_name(file_name("a/b")) != file_name("a/b")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is empty"),
        ("\t ", "is empty"),
        ("a\0b", "cannot be printed"),
        ("a\x1b[2J", "cannot be printed"),
        ("a\u202eb", "cannot be printed"),
        ("a\nb", "cannot be printed"),
        ("\udc80", "cannot be printed"),
        (" dog", "begins or ends with a blank"),
        ("x" * (LONGEST_NAME + 1), "has 101 characters"),
        (ALL_CLASSES, "is what tables call all classes together"),
    ],
)
def test_what_cannot_be_shown_is_told(name, why):
    assert why in why_unshowable(name)


@pytest.mark.parametrize("name", ["..", "/tmp/evil", "door/knock", "=1+1", "NA", "a | b", "$x$"])
def test_what_can_be_shown_may_be_a_name(name):
    assert why_unshowable(name) is None
