"""What a real run says, in a pipe and on a terminal, and who says it."""

import os
import pty
import re
import shutil
import subprocess
import sys

import pytest

from helpers.project import PROJECT

SNAKEFILE = """
rule all:
    input: "a.txt", "b.txt"

rule make:
    output: "{name}.txt"
    log: "{name}.log"
    message: "Making {wildcards.name}"
    shell: "sh make.sh {wildcards.name} > {output} 2> {log}"
"""
MAKE = """
echo "make $1: begun" > /dev/tty 2>&1 || true
[ $1 = a ] || { echo "error: no such luck" >&2; false; }
"""
FAILURE = ["FAILED: Making b", "    error: no such luck", "    log: b.log"]


@pytest.fixture
def folder(tmp_path):
    """A toy workflow with the profile and the plugin of the project."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "make.sh").write_text(MAKE)
    shutil.copytree(PROJECT / "profiles", tmp_path / "profiles")
    name = "snakemake_logger_plugin_l2i"
    shutil.copytree(PROJECT / "workflow" / name, tmp_path / "workflow" / name)
    return tmp_path


COMMAND = [sys.executable, "-m", "snakemake", "--cores", "2", "--keep-going"]


def in_pipe(folder):
    """What a run says where it is no terminal that reads it."""
    done = subprocess.run(
        COMMAND, cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, done.stdout + done.stderr


def on_terminal(folder):
    """What a terminal is given."""
    master, slave = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    running = subprocess.Popen(
        COMMAND, cwd=folder, env=environment, stdout=slave, stderr=slave, stdin=slave
    )
    os.close(slave)
    said = b""
    while True:
        try:
            said += os.read(master, 65536)
        except OSError:
            break
    os.close(master)
    return running.wait(timeout=60), said.decode()


def test_in_a_pipe_each_job_is_a_line_a_failure_stands_out_and_the_log_has_all(folder):
    code, said = in_pipe(folder)
    lines = said.splitlines()
    assert code == 1 and "3 jobs to run" in lines and "Reason" not in said and "\x1b" not in said
    assert sum(bool(re.match(r"\[\d/3 0:\d\d\] Making [ab]$", line)) for line in lines) == 2
    at = lines.index(FAILURE[0])
    assert lines[at : at + 3] == FAILURE
    (log,) = (folder / ".snakemake/log").iterdir()
    log = log.read_text()
    assert log.count("Reason: Missing output files") == 2 and "1 of 3 steps (33%) done" in log
    assert "CalledProcessError" in log and "CalledProcessError" not in said


def test_on_a_terminal_what_is_under_way_is_shown_and_what_jobs_say_passes_through(folder):
    (folder / "make.sh").write_text(MAKE.replace("/dev/tty", "/proc/$PPID/fd/1"))
    code, said = on_terminal(folder)
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said).replace("\r", "")
    assert code == 1 and "0 of 3 jobs, 0:0" in text and re.search(r"0:00  Making [ab]", text)
    assert "\n".join(FAILURE) in text and "1 failed" in text
    assert "Reason" not in text and "\x1b[?25h" in said, "the cursor comes back"


# ---------------------------------------------------------------- who speaks

READ = """
import sys, pathlib, yte
name = "snakemake_logger_plugin_l2i"
if sys.argv[2] == "blocked":
    sys.modules[name] = None
profile = yte.process_yaml(pathlib.Path(sys.argv[1]).read_text())
from snakemake_interface_logger_plugins.registry import LoggerPluginRegistry
print(profile.get("logger"), "l2i" in LoggerPluginRegistry().plugins)
"""


@pytest.mark.parametrize(("where", "told"), [("here", "['l2i'] True"), ("blocked", "None False")])
def test_the_profile_names_the_plugin_where_there_is_one(folder, where, told):
    if where == "blocked":
        shutil.rmtree(folder / "workflow")
    read = [sys.executable, "-c", READ, "profiles/default/config.yaml", where]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(read, cwd=folder, env=alone, capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith(told)
