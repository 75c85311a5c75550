from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.checks import FEW, MANY, InputError, printable, raise_all


@given(st.text())
def test_what_is_printed_steers_no_terminal(text):
    shown = printable(text)
    assert shown.isprintable()
    shown.encode()  # lone surrogates, which stand for bytes of file names, cannot be written
    assert (shown == text) == text.isprintable()


def test_a_message_keeps_its_lines_and_escapes_names():
    error = InputError("clip \x1b[2J\x07.wav\nand more")
    assert str(error) == "clip \\x1b[2J\\x07.wav\nand more"


def test_a_name_cannot_begin_a_line_of_its_own():
    with pytest.raises(InputError) as error:
        raise_all(["x\nerror: all is well"], "corpus")
    assert str(error.value).count("\n") == 1


def test_no_problem_is_no_error():
    raise_all([], "corpus")


@pytest.mark.parametrize(
    "line",
    [
        "audio/1-{i}-A-0.ogg has no row in meta/esc50.csv; add its row",
        "1-{i}-A-0.ogg: esc10 'x{i}' is neither True nor False",
        "/data/esc50/audio/{i}.wav: is truncated, {i} of the bytes are gone",
    ],
)
def test_of_many_alike_the_first_few_are_told_and_all_counted(line):
    many = [line.format(i=i) for i in range(100, 2100)]
    with pytest.raises(InputError, match="2001 problems") as error:
        raise_all([*many, "no row belongs to subset esc10"], "corpus")
    lines = str(error.value).splitlines()
    assert len(lines) == 1 + FEW + 1 + 1
    assert many[0] in lines[1]
    assert lines[FEW + 1] == f"  - and {2000 - FEW} more of this kind"


def test_some_alike_are_all_told():
    with pytest.raises(InputError) as error:
        raise_all([f"clip {i}.wav is gone" for i in range(MANY)], "corpus")
    assert len(str(error.value).splitlines()) == 1 + MANY
