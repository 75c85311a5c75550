"""cli.main: what the command says of what it cannot understand."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest
from rich.tree import Tree

from cli import showing
from cli.main import main
from helpers.finished_run import make_run
from helpers.project import PROJECT


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


def test_a_tree_is_whole_at_any_width(monkeypatch):
    # Lines of text are left to the terminal; what is drawn must not be cut off.
    told = " ".join(f"word{i}" for i in range(400))
    for width in (None, 40):
        out = io.StringIO()
        monkeypatch.setattr("sys.stdout", out)
        screen = showing.console()
        if width is not None:
            screen.width = width
        tree = Tree("root")
        tree.add(told)
        screen.print(tree, soft_wrap=False)
        assert "word399" in out.getvalue()
        assert width is not None or told in out.getvalue()


def test_a_fault_of_ours_does_not_say_that_something_was_tampered_with(capsys, monkeypatch):
    def fails(*arguments, **options):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("cli.main.app", fails)
    code, said = ended(capsys, "audit", "verify")
    assert code == os.EX_SOFTWARE and "ZeroDivisionError: ours" in said.err


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["text", "json"])
def test_who_has_seen_enough_is_told_of_no_fault(tmp_path, form):
    run = make_run(tmp_path)
    command = [sys.executable, "-m", "cli.main", "audit", "verify", str(run), *form]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "workflow")}
    closed, write = os.pipe()
    os.close(closed)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, env=environment, text=True)
    os.close(write)
    assert done.returncode == 128 + signal.SIGPIPE and done.stderr == ""
