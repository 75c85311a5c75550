"""cli.main: what the command says of what it cannot understand."""

from __future__ import annotations

import pytest

from cli.main import main


def ended(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    return end.value.code, capsys.readouterr()


@pytest.mark.parametrize("arguments", [["audits"], ["audit", "verity"], ["audit", "--nothing"]])
def test_a_wrong_word_is_named_and_ends_with_4(capsys, arguments):
    code, said = ended(capsys, *arguments)
    assert code == 4 and "No such" in said.err and arguments[-1] in said.err


@pytest.mark.parametrize("arguments", [["--help"], ["audit", "--help"]])
def test_help_is_no_error(capsys, arguments):
    code, said = ended(capsys, *arguments)
    assert code == 0 and "Usage: " in said.out
