"""Who speaks in a run."""

import io
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness

from helpers.snakemake_records import planned, record
from snakemake_logger_plugin_l2i import speakers
from snakemake_logger_plugin_l2i.display import Display
from snakemake_logger_plugin_l2i.lines import Lines
from snakemake_logger_plugin_l2i.plan import Plan
from snakemake_logger_plugin_l2i.speakers import Snakemake, speaker_for

SILENT = {"quiet": None, "verbose": False, "debug_dag": False, "printshellcmds": False}
SETTINGS = SILENT | {"dryrun": False, "nocolor": True, "show_failed_logs": False, "stdout": False}


@pytest.mark.parametrize(
    ("given", "terminal", "who"),
    [
        ({}, True, Display),
        ({}, False, Lines),
        ({"quiet": {Quietness.PROGRESS}}, True, Lines),
        ({"quiet": {Quietness.REASON}}, True, Display),
        ({"dryrun": True, "stdout": True}, True, Plan),
        ({"dryrun": True, "printshellcmds": True, "stdout": True}, True, Snakemake),
        ({"verbose": True}, True, Snakemake),
        ({"debug_dag": True}, False, Snakemake),
    ],
)
def test_who_speaks_depends_on_the_command_line_and_the_terminal(monkeypatch, given, terminal, who):
    monkeypatch.setattr(Display, "is_possible", staticmethod(lambda: terminal))
    assert type(speaker_for(SimpleNamespace(**SETTINGS | given))) is who


def test_snakemake_says_what_it_says_without_a_plugin(monkeypatch):
    said = io.StringIO()
    monkeypatch.setattr(speakers.sys, "stderr", said)
    speaker = Snakemake(SimpleNamespace(**SETTINGS))
    for each in (record("None"), planned(train=2), record("Nothing to be done")):
        speaker.hear(each)
    speaker.close()
    assert "Job stats:" in said.getvalue() and "Nothing to be done" in said.getvalue()
    assert "None" not in said.getvalue()
