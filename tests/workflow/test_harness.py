"""The harness: one job, from what Snakemake says of it to results in place."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from harness import lock, perform
from helpers.project import PROJECT
from helpers.records import write_result
from l2i import limits
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance import digests, records
from l2i.provenance.digests import digest_path, write_digest
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.hashes import KnownHashes
from l2i.provenance.records import load_record, record_path
from l2i.training.checkpoints import sigterm_held_back
from l2i.weights import save_weights

pytestmark = pytest.mark.usefixtures("torch_as_before")
CODE = "c" * 64
ENV = "{}"


class Named(dict):
    """Stands for Snakemake's lists with names: items() and the number of all files."""

    def __len__(self):
        return sum(1 if isinstance(v, str) else len(v) for v in self.values())


@pytest.fixture
def job(tmp_path, tmp_path_factory, monkeypatch):
    """A job as `script:` hands it over: one input, two outputs, two settings."""
    monkeypatch.chdir(tmp_path_factory.mktemp("project"))  # where hashes are remembered
    write_result(tmp_path / "clips.csv", "clip\na\n")
    return SimpleNamespace(
        rule="double",
        input=Named(clips=str(tmp_path / "clips.csv")),
        output=Named(table=str(tmp_path / "table.csv"), audio=str(tmp_path / "audio")),
        params=SimpleNamespace(settings='{"factor":2,"seed":3}', code=CODE, env=ENV),
        wildcards=Named(fold="1", run="4"),
        log=[str(tmp_path / "double.log")],
        threads=1,
        config={"machine": {"device": "cpu", "data": "somewhere", "urls": {"a": "file:b"}}},
    )


def double(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
    Path(path_to_table).write_text(Path(path_to_clips).read_text() * factor)
    Path(path_to_audio).mkdir()
    (Path(path_to_audio) / "a.wav").write_bytes(b"sound")
    return {"precision": "float32", "n_clips": factor}


SLOW = """
import sys
import time
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, sys.argv[1])
from harness import perform


def slow(path_to_table):
    Path(path_to_table).write_text("half")
    print("half way", flush=True)
    time.sleep(60)


job = SimpleNamespace(
    rule="slow",
    input={},
    output={"table": "table.csv"},
    params=SimpleNamespace(settings="{}", code="c" * 64, env="{}"),
    wildcards={},
    log=["slow.log"],
    threads=1,
    config={"machine": {}},
)
perform(job, slow)
"""


def leftovers(tmp_path):
    return sorted(p.name for p in tmp_path.rglob("*") if p.name.startswith((".part-", ".lock-")))


def files_in(tmp_path):
    """What lies there, but for the second name of a log and the record of the input."""
    names = {p.name for p in tmp_path.iterdir() if not p.name.startswith(".log-")}
    return sorted(names - {".records"})


def perform_anew(job, function, **openers):
    """Perform a job as Snakemake starts it: outputs and log of an earlier one are deleted first."""
    for path in [*job.output.values(), *job.log]:
        if Path(path).is_dir():
            shutil.rmtree(path)
        else:
            Path(path).unlink(missing_ok=True)
    perform(job, function, **openers)


class TestOpeners:
    """What is opened before the function runs, and handed over under the opener's name."""

    def test_an_opener_takes_from_the_job_and_what_came_before_it(self, job):
        def numbers(path_to_clips, *, factor):
            return [factor, len(Path(path_to_clips).read_text())]

        def total(numbers, *, fold):
            return sum(numbers) + int(fold)

        def write(numbers, total, path_to_table, path_to_audio, *, seed):
            Path(path_to_table).write_text(f"{numbers} {total} {seed}")
            Path(path_to_audio).mkdir()

        perform(job, write, numbers=numbers, total=total)
        n = len(Path(job.input["clips"]).read_text())
        assert Path(job.output["table"]).read_text() == f"{[2, n]} {2 + n + 1} 3"

    def test_it_may_take_the_place_of_what_it_opens(self, job):
        def fold(path_to_clips, *, fold, factor, seed):
            return f"fold {fold}"

        def write(fold, path_to_table, path_to_audio):
            Path(path_to_table).write_text(fold)
            Path(path_to_audio).mkdir()

        perform(job, write, fold=fold)
        assert Path(job.output["table"]).read_text() == "fold 1"

    def test_what_neither_takes_is_refused(self, job, capsys):
        def opened(path_to_clips):
            return None

        def write(opened, path_to_table, path_to_audio, *, factor, nothing):
            raise AssertionError("must not run")

        with pytest.raises(SystemExit):
            perform(job, write, opened=opened)
        said = capsys.readouterr().err
        assert "not a parameter of the function: seed; not given by the rule: nothing" in said


class TestInvariants:
    def test_outputs_and_a_record_beside_each_are_there_after_success(self, job, tmp_path):
        perform(job, double)
        record = load_record(job.output["table"])
        assert record["output"]["sha256"] == file_sha256(tmp_path / "table.csv")
        assert record["inputs"][0]["sha256"] == file_sha256(tmp_path / "clips.csv")
        assert record["settings"] == {"factor": 2, "seed": 3}
        assert record["seeds"] == {"seed": 3, "run": 4}
        assert record["facts"] == {"precision": "float32", "n_clips": 2}
        assert record["runtime"]["precision"] == "float32"
        assert record["fingerprints"]["code"] == CODE and record["fingerprints"][
            "env"
        ] == settings_fingerprint({})
        assert load_record(job.output["audio"])["output"]["kind"] == "folder"
        assert not leftovers(tmp_path)

    def test_an_output_may_be_several_files_each_with_its_record(self, job, tmp_path):
        (tmp_path / "more").mkdir()
        tables = [str(tmp_path / "table.csv"), str(tmp_path / "more/table.csv")]
        job.output = Named(tables=tables)

        def write(path_to_clips, path_to_tables, *, factor, seed):
            assert not any(Path(path).exists() for path in tables)
            for i, path in enumerate(path_to_tables):
                Path(path).write_text(f"{i}")
            if factor == 3:
                raise RuntimeError("half way")

        perform(job, write)
        assert [Path(path).read_text() for path in tables] == ["0", "1"]
        for path in tables:
            output = load_record(path)["output"]
            assert (output["name"], output["sha256"]) == ("tables", file_sha256(Path(path)))
        job.params.settings = '{"factor":3,"seed":3}'
        with pytest.raises(SystemExit):
            perform(job, write)
        assert not leftovers(tmp_path) and not any(Path(path).exists() for path in tables)

    def test_one_of_several_files_that_is_not_written_is_missed(self, job, tmp_path, capsys):
        job.output = Named(tables=[str(tmp_path / "table.csv"), str(tmp_path / "other.csv")])

        def write(path_to_clips, path_to_tables, *, factor, seed):
            Path(path_to_tables[0]).write_text("")

        with pytest.raises(SystemExit):
            perform(job, write)
        assert "returned without writing: tables" in capsys.readouterr().err
        assert files_in(tmp_path) == ["clips.csv", "double.log"]

    def test_an_output_has_its_name_only_when_the_function_has_ended(self, job, tmp_path):
        def looks_around(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            assert not (tmp_path / "table.csv").exists() and not (tmp_path / "audio").exists()
            assert path_to_table.endswith(".csv")

        perform(job, looks_around)
        assert (tmp_path / "table.csv").exists()

    def test_a_failed_job_leaves_nothing_but_its_log(self, job, tmp_path):
        def breaks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            raise RuntimeError("half way")

        with pytest.raises(SystemExit) as end:
            perform(job, breaks)
        assert end.value.code == 1
        assert files_in(tmp_path) == ["clips.csv", "double.log"]
        log = (tmp_path / "double.log").read_text()
        assert "Traceback" in log and "half way" in log

    def test_a_rerun_that_fails_leaves_no_record_of_the_earlier_success(self, job, tmp_path):
        def breaks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            raise RuntimeError("this time")

        perform_anew(job, double)
        job.params.settings = '{"factor":3,"seed":3}'
        with pytest.raises(SystemExit):
            perform(job, breaks)
        assert files_in(tmp_path) == ["clips.csv", "double.log"]

    @pytest.mark.parametrize("refused", ["function", "device", "opener", "input"])
    def test_one_that_is_refused_before_it_begins_leaves_what_was_made(
        self, job, tmp_path, refused
    ):
        """Its log too, until something else is made."""

        def opens(path_to_clips):
            raise InputError("bad clips")

        perform(job, double)
        before = {path: path.read_bytes() for path in tmp_path.glob("[at]*") if path.is_file()}
        job.params.settings = '{"factor":3,"seed":3}'
        function, openers = {"function": without_seed}.get(refused, must_not_run), {}
        if refused == "opener":
            openers = {"clips": opens}
        elif refused == "device":
            job.config["machine"]["device"] = "cuda"
            function = on_device
        elif refused == "input":
            (tmp_path / "clips.csv").write_text("changed")
        with pytest.raises(SystemExit):
            perform(job, function, **openers)
        assert {path: path.read_bytes() for path in before} == before
        assert (tmp_path / ".before-double.log").exists()

    def test_no_output_appears_unless_all_records_fit(self, job, tmp_path, monkeypatch):
        real = KnownHashes.compute

        def wrong_for_folders(self, path):
            hashed = real(self, path)
            return hashed._replace(sha256="abc") if hashed.kind == "folder" else hashed

        replaced, replace = [], os.replace

        def watched(source, target):  # the log gets its second name so
            return replace(source, target) if "log" in str(target) else replaced.append(target)

        monkeypatch.setattr(KnownHashes, "compute", wrong_for_folders)
        monkeypatch.setattr("harness.job.os.replace", watched)
        with pytest.raises(SystemExit):
            perform(job, double)
        assert "output.sha256" in (tmp_path / "double.log").read_text()
        assert not replaced
        assert files_in(tmp_path) == ["clips.csv", "double.log"]

    def test_a_record_that_cannot_be_written_takes_the_outputs_with_it(
        self, job, tmp_path, monkeypatch
    ):
        real = records.write_record

        def full_disk(path, record):
            if path.endswith("audio"):
                raise OSError("no space left on device")
            real(path, record)

        monkeypatch.setattr(records, "write_record", full_disk)
        with pytest.raises(SystemExit):
            perform(job, double)
        assert "no space left" in (tmp_path / "double.log").read_text()
        assert files_in(tmp_path) == ["clips.csv", "double.log"]

    @pytest.mark.parametrize(
        "sent", ["SIGTERM", "SIGUSR1", "SIGUSR2", "SIGXCPU", "SIGHUP", "SIGINT"]
    )
    def test_a_job_ended_by_a_signal_leaves_nothing_but_its_log(self, tmp_path, sent):
        (tmp_path / "slow.py").write_text(SLOW)
        command = [sys.executable, "slow.py", str(PROJECT / "workflow")]
        running = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert running.stdout.readline() == "slow: half way\n"
        assert (tmp_path / ".part-table.csv").exists()
        running.send_signal(getattr(signal, sent))
        _, shown = running.communicate(timeout=60)
        assert running.returncode == 143
        assert files_in(tmp_path) == ["slow.log", "slow.py"]
        for text in (shown, (tmp_path / "slow.log").read_text()):
            assert f"error: stopped with exit status 143 ({sent}, as at a time-out" in text

    def test_logging_goes_on_after_a_job_as_before_it(self, job, capsys):
        perform(job, double)
        logging.getLogger("after").info("not shown")
        logging.getLogger("after").warning("shown")
        shown = capsys.readouterr().err
        assert "shown" in shown and "not shown" not in shown and "Logging error" not in shown

    def test_the_answers_to_signals_are_given_back(self, job):
        before = {each: signal.getsignal(each) for each in signal.valid_signals()}
        perform(job, double)
        assert {each: signal.getsignal(each) for each in signal.valid_signals()} == before

    def test_a_signal_that_the_job_was_started_without_stays_ignored(self, tmp_path):
        (tmp_path / "slow.py").write_text(SLOW)
        command = ["nohup", sys.executable, "slow.py", str(PROJECT / "workflow")]
        running = subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert running.stdout.readline() == "slow: half way\n"
        running.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert running.poll() is None
        running.terminate()
        assert running.wait(60) == 143

    @pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
    def test_a_signal_waits_while_training_holds_sigterm_back(self, job, sent):
        steps = []

        def trains(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            with sigterm_held_back() as sigterm:
                signal.raise_signal(sent)
                steps.append(sigterm.came)
                sigterm.let_through()
            steps.append("not reached")

        with pytest.raises(SystemExit) as end:
            perform(job, trains)
        assert end.value.code == 143 and steps == [True]

    def test_settings_are_recorded_as_given_whatever_the_function_does_to_its_own(self, job):
        job.params.settings = '{"factor":{"a":2,"b":[1,2]},"seed":3}'

        def takes_apart(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            factor["b"].append(factor.pop("a"))
            double(path_to_clips, path_to_table, path_to_audio, factor=1, seed=seed)

        perform(job, takes_apart)
        record = load_record(job.output["table"])
        assert record["settings"] == json.loads(job.params.settings)
        assert record["fingerprints"]["settings"] == settings_fingerprint(record["settings"])

    def test_what_a_killed_job_left_behind_does_not_get_into_the_next(self, job, tmp_path):
        (tmp_path / ".part-audio").mkdir()
        (tmp_path / ".part-audio" / "stale.wav").write_bytes(b"")
        perform(job, double)
        assert [p.name for p in (tmp_path / "audio").iterdir()] == ["a.wav"]

    def test_checkpoints_outlive_a_job_that_failed_and_go_with_its_success(self, job, tmp_path):
        seen = []

        def trains(path_to_clips, path_to_table, path_to_audio, *, factor, seed, checkpoints):
            folder = Path(checkpoints)
            seen.append((folder.name, folder.exists()))
            if not folder.exists():
                folder.mkdir()
                (folder / "network.pt").write_bytes(b"half way")
                raise RuntimeError("the node is taken away")
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)

        with pytest.raises(SystemExit):
            perform(job, trains)
        kept = tmp_path / seen[0][0]
        assert kept.name.startswith(".checkpoints-") and (kept / "network.pt").exists()
        perform(job, trains)
        assert seen == [(kept.name, False), (kept.name, True)]
        assert not list(tmp_path.glob(".checkpoints-*"))

    def test_checkpoints_of_other_settings_go_when_the_job_starts(self, job, tmp_path):
        (tmp_path / ".checkpoints-0123").mkdir()

        def trains(path_to_clips, path_to_table, path_to_audio, *, factor, seed, checkpoints):
            assert not list(tmp_path.glob(".checkpoints-*"))
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)

        perform(job, trains)

    @pytest.mark.parametrize("fails", [False, True])
    def test_scratch_is_empty_and_goes_with_the_job(self, job, tmp_path, fails):
        (tmp_path / ".part-scratch").mkdir()  # of a job that was killed
        (tmp_path / ".part-scratch" / "maps").write_bytes(b"many")

        def trains(path_to_clips, path_to_table, path_to_audio, *, factor, seed, scratch):
            assert Path(scratch).parent == tmp_path and not list(Path(scratch).iterdir())
            (Path(scratch) / "maps").write_bytes(b"many")
            if fails:
                raise RuntimeError("half way")
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)

        if fails:
            with pytest.raises(SystemExit):
                perform(job, trains)
        else:
            perform(job, trains)
        assert not leftovers(tmp_path)

    @pytest.mark.parametrize("what", ["settings", "code", "env", "input", "wildcard"])
    def test_a_job_that_computes_something_else_goes_on_from_nothing(self, job, tmp_path, what):
        names = []

        def trains(path_to_clips, path_to_table, path_to_audio, *, factor, seed, checkpoints):
            names.append(Path(checkpoints).name)
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)

        perform_anew(job, trains)
        perform_anew(job, trains)
        assert names[0] == names[1]
        if what == "input":
            write_result(tmp_path / "clips.csv", "clip\nb\n")
        elif what == "wildcard":
            job.wildcards = Named(fold="2", run="4")
        else:
            other = {"settings": '{"factor":2,"seed":4}', "code": "d" * 64, "env": '{"numpy":"2"}'}
            setattr(job.params, what, other[what])
        perform_anew(job, trains)
        assert names[2] != names[0]

    def test_bad_input_is_reported_by_its_message_alone(self, job, tmp_path, capsys):
        def refuses(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            raise InputError("clips.csv holds no clips; add some")

        with pytest.raises(SystemExit) as end:
            perform(job, refuses)
        assert end.value.code == 1
        told = "error: clips.csv holds no clips; add some\n"
        assert capsys.readouterr().err == f"double fold 1 run 4: {told}"
        assert (tmp_path / "double.log").read_text() == told

    def test_prints_and_log_messages_reach_terminal_and_log_but_bars_do_not(
        self, job, tmp_path, capsys, monkeypatch
    ):
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        monkeypatch.setattr(sys, "__stderr__", terminal)

        def talks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            from l2i.progress import progress

            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            print("to standard output")
            print("to standard error", file=sys.stderr)
            logging.getLogger("l2i.any").info("from a logger")
            assert list(progress(range(3), description="counting", unit="clip")) == [0, 1, 2]

        perform(job, talks)
        lines = ["to standard output", "to standard error", "from a logger"]
        assert (tmp_path / "double.log").read_text().splitlines() == lines
        shown = capsys.readouterr()
        told = [f"double fold 1 run 4: {line}" for line in lines]
        assert (shown.out + shown.err).splitlines() == told
        assert "\rdouble fold 1 run 4: counting" in terminal.getvalue()

    def test_streams_are_given_back(self, job):
        before = sys.stdout, sys.stderr
        perform(job, double)
        assert (sys.stdout, sys.stderr) == before

    def test_torch_is_deterministic_and_uses_the_threads_of_the_job(self, job):
        seen = {}
        torch.set_num_threads(2)
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True

        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            seen["threads"] = torch.get_num_threads()
            seen["deterministic"] = torch.are_deterministic_algorithms_enabled()
            seen["only warned"] = torch.is_deterministic_algorithms_warn_only_enabled()
            seen["denormal"] = float(torch.tensor(1e-39) * 1.0)
            seen["convolutions in tf32"] = torch.backends.cudnn.allow_tf32
            seen["products in tf32"] = torch.backends.cuda.matmul.allow_tf32
            seen["cublas"] = os.environ["CUBLAS_WORKSPACE_CONFIG"]

        perform(job, asks)
        assert seen == {
            "threads": 1,
            "deterministic": True,
            "only warned": False,
            "denormal": 0.0,
            "convolutions in tf32": False,
            "products in tf32": False,
            "cublas": ":4096:8",
        }
        assert load_record(job.output["table"])["runtime"]["deterministic"] is True

    def test_no_job_waits_for_the_compiler_of_torch(self, job, monkeypatch):
        for name in ("torch._inductor", "torch._inductor.config", "torch._dynamo"):
            monkeypatch.setitem(sys.modules, name, None)  # an import of it fails
        perform(job, double)
        assert torch.are_deterministic_algorithms_enabled()


class TestKnownAnswers:
    def test_wildcards_and_the_machine_are_given_to_those_who_ask(self, job):
        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed, fold, device, urls):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            return {"fold": fold, "device": device, "urls": urls}

        perform(job, asks)
        record = load_record(job.output["table"])
        assert record["facts"] == {"fold": "1", "device": "cpu", "urls": {"a": "file:b"}}
        assert record["runtime"]["device"] == "cpu"

    def test_a_tilde_in_the_folder_of_the_data_is_the_home(self, job, monkeypatch):
        monkeypatch.setenv("HOME", "/home/somebody")
        job.config["machine"]["data"] = "~/corpora"

        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed, data):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            return {"data": data}

        perform(job, asks)
        assert load_record(job.output["table"])["facts"] == {"data": "/home/somebody/corpora"}

    def test_several_files_under_one_name_come_as_a_list(self, job, tmp_path):
        job.input = Named(clips=[str(tmp_path / "clips.csv")] * 2)

        def counts(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips[0], path_to_table, path_to_audio, factor=factor, seed=seed)
            return {"n": len(path_to_clips)}

        perform(job, counts)
        record = load_record(job.output["table"])
        assert record["facts"] == {"n": 2} and len(record["inputs"]) == 2


class TestHashes:
    """A file is read for its hash once after it was written."""

    @pytest.fixture
    def aged(self, job):
        """The input was written an hour ago."""
        path = Path(job.input["clips"])
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3600))
        return path

    @pytest.fixture
    def read(self, monkeypatch):
        """Names of the files that are read for their hash."""
        names = []
        real = hashlib.file_digest

        def recorded(file, *arguments):
            names.append(Path(file.name).name)
            return real(file, *arguments)

        monkeypatch.setattr(hashlib, "file_digest", recorded)
        return names

    def test_an_input_is_read_by_the_first_job_only_and_records_say_so(self, job, aged, read):
        for known in ("computed", "known"):
            perform_anew(job, double)
            (used,) = load_record(job.output["table"])["inputs"]
            assert (used["hash"], used["sha256"]) == (known, file_sha256(aged))
        read.remove("clips.csv"), read.remove("clips.csv")  # by this test
        assert read.count("clips.csv") == 1

    def test_an_input_that_changed_is_read_again(self, job, aged):
        perform_anew(job, double)
        write_result(aged, "clip\nb\n")
        perform_anew(job, double)
        (used,) = load_record(job.output["table"])["inputs"]
        assert (used["hash"], used["sha256"]) == ("computed", file_sha256(aged))

    def test_an_output_is_read_once_and_known_to_the_next_job(self, job, read, monkeypatch):
        monkeypatch.setattr("l2i.provenance.hashes.WORTH_A_TICK", 1)
        perform_anew(job, double)
        assert [name for name in read if name != "clips.csv"] == [".part-table.csv", "a.wav"]
        known = KnownHashes("results/.hashes")
        for path in job.output.values():
            looked_up, output = known.look_up(path), load_record(path)["output"]
            assert looked_up.content().items() <= output.items()

    def test_a_function_may_ask_for_the_hashes_of_what_it_reads(self, job):
        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed, sha256_of):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            assert sha256_of == {path_to_clips: file_sha256(path_to_clips)}

        perform(job, asks)

    def test_hashes_lie_in_one_folder_that_may_be_removed(self, job, aged):
        perform_anew(job, double)
        assert [*Path("results").iterdir()] == [Path("results/.hashes")]
        shutil.rmtree("results")
        perform_anew(job, double)
        assert load_record(job.output["table"])["inputs"][0]["hash"] == "computed"


class TestDigests:
    """Large files are declared by their digests; scripts and records know the files."""

    @pytest.fixture
    def digested(self, job):
        """The job, its input and its first output declared so."""
        clips = Path(job.input["clips"])
        write_digest(clips, file_sha256(clips))
        job.input = Named(clips=str(digest_path(clips)))
        job.output = Named(job.output, table=str(digest_path(job.output["table"])))
        return job

    def test_files_are_read_written_and_recorded_and_the_digest_vouches(self, digested, tmp_path):
        table = tmp_path / "table.csv"
        perform(digested, double)
        assert table.read_text() == "clip\na\n" * 2
        assert digest_path(table).read_text() == f"{file_sha256(table)}  table.csv\n"
        record = load_record(table)
        assert record["output"]["path"] == str(table)
        assert record["inputs"][0]["path"] == str(tmp_path / "clips.csv")
        assert not digest_path(tmp_path / "audio").exists()

    def test_the_digest_comes_last(self, digested, tmp_path, monkeypatch):
        real = digests.write_digest

        def last(path, sha256):
            assert all(record_path(tmp_path / name).exists() for name in ("table.csv", "audio"))
            real(path, sha256)

        monkeypatch.setattr(digests, "write_digest", last)
        perform(digested, double)

    def test_a_job_that_starts_again_leaves_nothing_of_before(self, digested, tmp_path):
        def breaks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            assert not (tmp_path / "table.csv").exists(), "there may be no room for two"
            raise RuntimeError("half way")

        perform(digested, double)
        with pytest.raises(SystemExit):
            perform_anew(digested, breaks)
        assert not list(tmp_path.glob("table.csv*"))

    def test_a_digest_that_cannot_be_written_takes_all_with_it(
        self, digested, tmp_path, monkeypatch
    ):
        def full_disk(path, sha256):
            raise OSError("no space left on device")

        before = {path.name for path in tmp_path.iterdir()} | {"double.log"}
        monkeypatch.setattr(digests, "write_digest", full_disk)
        with pytest.raises(SystemExit):
            perform(digested, double)
        assert {path.name for path in tmp_path.iterdir() if ".log-" not in path.name} == before

    def test_an_input_that_is_lost_is_missed_with_one_message(self, digested, tmp_path, capsys):
        (tmp_path / "clips.csv").unlink()
        with pytest.raises(SystemExit):
            perform(digested, double)
        said = capsys.readouterr().err
        path = tmp_path / "clips.csv"
        told = f"error: {path} is lost: give your command again, which makes it anew\n"
        assert said.startswith("double ") and said.endswith(f": {told}")

    def test_an_input_that_is_not_what_its_digest_says_is_refused(self, digested, tmp_path, capsys):
        (tmp_path / "clips.csv").write_text("clip\nb\n")
        with pytest.raises(SystemExit) as end:
            perform(digested, double)
        assert end.value.code == 1
        message = capsys.readouterr().err
        assert message.startswith(
            f"double fold 1 run 4: error: {tmp_path / 'clips.csv'} is not the file that"
        )
        assert "Traceback" not in message and "give your command again" in message
        assert not (tmp_path / "table.csv").exists()

    def test_who_reads_records_needs_no_file_that_a_digest_vouches_for(self, digested, tmp_path):
        perform(digested, reads_records)
        usual = load_record(tmp_path / "table.csv")["inputs"]
        (tmp_path / "clips.csv").unlink()
        perform_anew(digested, reads_records)
        used, of_record = load_record(tmp_path / "table.csv")["inputs"]
        assert [used["sha256"], used["hash"]] == [usual[0]["sha256"], "recorded"]
        assert of_record["name"] == "record of clips" and of_record["hash"] == "computed"

    @pytest.mark.parametrize("forged", ["digest", "record"])
    def test_then_digest_and_record_must_agree(self, digested, tmp_path, capsys, forged):
        (tmp_path / "clips.csv").unlink()
        where = {"digest": digest_path, "record": record_path}[forged](tmp_path / "clips.csv")
        before = where.read_text()
        sha256 = json.loads(record_path(tmp_path / "clips.csv").read_text())["output"]["sha256"]
        where.write_text(before.replace(sha256, "0" * 64))
        with pytest.raises(SystemExit):
            perform(digested, reads_records)
        assert "is not the file that" in capsys.readouterr().err
        assert not (tmp_path / "table.csv").exists()


def reads_records(path_to_clips, path_to_table, path_to_audio, *, factor, seed, record_of):
    Path(path_to_table).write_text(record_of(path_to_clips)["output"]["sha256"])
    Path(path_to_audio).mkdir()


def without_seed(path_to_clips, path_to_table, path_to_audio, *, factor):
    raise AssertionError("must not be called")


def with_more(path_to_clips, path_to_table, path_to_audio, *, factor, seed, momentum):
    raise AssertionError("must not be called")


def writes_half(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
    Path(path_to_table).write_text("only this")


def returns_a_path(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
    double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
    return {"where": Path("somewhere")}


class TestMisuse:
    @pytest.mark.parametrize(
        ("function", "message"),
        [
            (without_seed, "not a parameter of the function: seed; not given by the rule: none"),
            (with_more, "not a parameter of the function: none; not given by the rule: momentum"),
            (writes_half, "returned without writing: audio"),
            (returns_a_path, r"value\['where'\] is a pathlib"),
        ],
    )
    def test_a_function_that_does_not_fit_its_rule_fails_and_says_why(
        self, job, tmp_path, function, message
    ):
        with pytest.raises(SystemExit):
            perform(job, function)
        assert re.search(message, (tmp_path / "double.log").read_text())
        assert files_in(tmp_path) == ["clips.csv", "double.log"]

    def test_unnamed_files_are_refused(self, job, tmp_path):
        job.input = Named()
        job.input["clips"] = str(tmp_path / "clips.csv")
        Named.__len__, length = lambda self: 2, Named.__len__
        try:
            with pytest.raises(SystemExit):
                perform(job, double)
        finally:
            Named.__len__ = length
        assert "needs a name" in (tmp_path / "double.log").read_text()

    def test_cuda_without_a_gpu_is_a_clear_error(self, job, tmp_path):
        if torch.cuda.is_available():
            pytest.skip("this machine has a GPU")
        job.config["machine"]["device"] = "cuda"

        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed, device):
            raise AssertionError("must not be called")

        with pytest.raises(SystemExit):
            perform(job, asks)
        assert "machine.device is cuda" in (tmp_path / "double.log").read_text()


def must_not_run(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
    raise AssertionError("must not be called")


must_not_run.__name__ = "double"  # a job's rule is called as its function is


class TestTwoOfOneKind:
    """A controller was killed and started again: the old job runs on, and a new one starts."""

    @pytest.fixture
    def beside(self, job, tmp_path, monkeypatch):
        """Another process performs the job; a function ends it. Snakemake prepares for the next."""
        monkeypatch.setattr(lock, "POLL_SECONDS", 0.05)

        def waits(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            print("the old one", flush=True)
            (tmp_path / "begun").touch()
            while not (tmp_path / "go").exists():
                time.sleep(0.02)
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)

        waits.__name__ = double.__name__
        old = multiprocessing.get_context("fork").Process(target=perform, args=(job, waits))
        old.start()
        while not (tmp_path / "begun").exists():
            assert old.is_alive()
            time.sleep(0.02)
        (tmp_path / "double.log").unlink()
        yield old, threading.Timer(0.5, (tmp_path / "go").touch)
        old.kill()
        old.join()

    def test_the_new_one_waits_and_takes_what_the_old_one_made(self, job, tmp_path, beside):
        old, soon = beside
        soon.start()
        perform(job, must_not_run)
        old.join(10)
        assert old.exitcode == 0
        assert load_record(job.output["table"])["output"]["sha256"] == file_sha256(
            job.output["table"]
        )
        log = (tmp_path / "double.log").read_text()
        assert log.startswith("the old one\n") and f"waiting for process {old.pid}" in log
        assert f"kill {old.pid}" in log and "made already" in log
        assert not leftovers(tmp_path) and not list(tmp_path.glob(".log-*"))

    @pytest.mark.parametrize("what", ["settings", "input", "damaged"])
    def test_it_makes_its_own_where_that_is_something_else(
        self, job, tmp_path, beside, monkeypatch, what
    ):
        if what == "settings":
            job.params.settings = '{"factor":3,"seed":3}'
        elif what == "input":  # the old one has read it already
            write_result(tmp_path / "clips.csv", "clip\nb\n")
        else:
            real = lock._acquire

            def then_damage(path, me, what):
                real(path, me, what)
                Path(job.output["table"]).write_text("damaged")

            monkeypatch.setattr(lock, "_acquire", then_damage)
        beside[1].start()
        perform(job, double)
        factor = json.loads(job.params.settings)["factor"]
        text = (tmp_path / "clips.csv").read_text()
        assert Path(job.output["table"]).read_text() == text * factor

    def test_it_takes_over_from_one_that_is_killed(self, job, tmp_path, beside):
        old, _ = beside
        threading.Timer(0.3, old.kill).start()
        perform(job, double)
        log = (tmp_path / "double.log").read_text()
        assert log.startswith("the old one\n") and "taking over from process" in log
        assert load_record(job.output["table"]) and not leftovers(tmp_path)

    def test_it_ends_by_sigterm_while_it_waits(self, job, tmp_path, beside):
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        with pytest.raises(SystemExit) as end:
            perform(job, must_not_run)
        assert end.value.code == 143
        beside[1].start()
        beside[0].join(10)
        assert beside[0].exitcode == 0 and load_record(job.output["table"])

    def test_one_that_was_taken_for_dead_leaves_results_and_parts_to_the_other(self, job, tmp_path):
        def is_frozen(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            (tmp_path / ".lock-table.csv").write_text('{"token": "of the other"}')

        with pytest.raises(SystemExit):
            perform(job, is_frozen)
        assert not (tmp_path / "table.csv").exists()
        assert (tmp_path / ".part-table.csv").exists()
        assert "leaves the result to the other" in (tmp_path / "double.log").read_text()


class TestResources:
    def test_what_was_asked_for_bounds_the_memory_and_is_recorded(self, job, monkeypatch):
        monkeypatch.setenv(limits.ASKED_FOR, "1")
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        job.resources = {"mem_mb": 8000, "gpu": 1, "runtime": 60, "tmpdir": "/tmp", "_cores": 1}
        seen = {}

        def asks(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
            double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)
            seen["free"] = limits.free_main_memory()

        perform(job, asks)
        assert seen["free"] < 8 * 10**9
        runtime = load_record(job.output["table"])["runtime"]
        assert runtime["asked_for"] == {"mem_mb": 8000, "gpu": 1, "runtime": 60}
        assert runtime["memory_limits"]["asked_for"] == 8 * 10**9
        assert runtime["memory_limits"]["machine"] > 0

    def test_memory_by_the_core_counts_for_all_cores(self, job, monkeypatch):
        monkeypatch.setenv(limits.ASKED_FOR, "1")
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        job.resources, job.threads = {"mem_mb_per_cpu": 1000}, 4
        perform(job, double)
        assert os.environ[limits.ASKED_FOR] == str(4 * 10**9)

    def test_without_a_scheduler_what_is_asked_for_binds_nobody(self, job, monkeypatch):
        monkeypatch.delenv("SLURM_JOB_ID", raising=False)
        job.resources = {"mem_mb": 1}
        perform(job, double)
        assert "asked_for" not in load_record(job.output["table"])["runtime"]["memory_limits"]

    def test_a_job_that_asks_for_none_is_not_bound_by_an_earlier_one(self, job, monkeypatch):
        monkeypatch.setenv(limits.ASKED_FOR, "1")
        perform(job, double)
        assert limits.ASKED_FOR not in os.environ


def on_device(path_to_clips, path_to_table, path_to_audio, *, factor, seed, device):
    double(path_to_clips, path_to_table, path_to_audio, factor=factor, seed=seed)


class TestDevice:
    @pytest.fixture(autouse=True)
    def without_gpu(self, job, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        for name in [name for name in os.environ if name.startswith("SLURM_")]:
            monkeypatch.delenv(name)
        job.config["machine"]["device"] = "auto"
        job.resources = {"gpu": 1}

    @pytest.mark.parametrize("inside_of_slurm", [False, True])
    def test_auto_computes_on_the_cpu_where_nobody_gave_a_gpu(
        self, job, tmp_path, monkeypatch, inside_of_slurm
    ):
        if inside_of_slurm:  # as in a shell of salloc, where rules ask nobody
            monkeypatch.setenv("SLURM_JOB_ID", "17")
        perform(job, on_device)
        assert load_record(job.output["table"])["runtime"]["device"] == "cpu"
        assert "no GPU is there: computing on the CPU" in (tmp_path / "double.log").read_text()

    @pytest.mark.parametrize("variable", ["SLURM_STEP_GPUS", "SLURM_JOB_GPUS"])
    @pytest.mark.parametrize("choice", ["auto", "cuda"])
    def test_a_gpu_that_slurm_gave_and_nobody_sees_stops_the_job(
        self, job, tmp_path, monkeypatch, variable, choice
    ):
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        monkeypatch.setenv(variable, "3")
        job.config["machine"]["device"] = choice
        with pytest.raises(SystemExit):
            perform(job, on_device)
        log = (tmp_path / "double.log").read_text()
        assert "SLURM gave this job GPU 3" in log and "machine={device: cpu}" in log
        assert not (tmp_path / "table.csv").exists()

    @pytest.mark.parametrize("choice", ["cpu", "any"])
    def test_unless_told_otherwise(self, job, monkeypatch, choice):
        monkeypatch.setenv("SLURM_JOB_ID", "17")
        monkeypatch.setenv("SLURM_STEP_GPUS", "3")
        job.config["machine"]["device"] = choice
        perform(job, on_device)
        record = load_record(job.output["table"])
        assert record["slurm"]["gpus"] == "3" and record["accelerator"] is None


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o027, 0o640, 0o750)]
)
def test_results_have_the_modes_of_the_umask(job, tmp_path, umask, file, folder):
    def keeps_to_itself(path_to_clips, path_to_table, path_to_audio, *, factor, seed):
        save_weights(path_to_table, {"w": torch.zeros(1)}, kind="any")  # 0600, whatever the umask
        Path(path_to_audio, "deep").mkdir(parents=True, mode=0o700)
        for path in (Path(path_to_audio, "a.wav"), Path(path_to_audio, "deep", "b.wav")):
            path.touch(0o600)

    before = os.umask(umask)
    try:
        perform(job, keeps_to_itself)
    finally:
        os.umask(before)
    for path in [tmp_path / "table.csv", *(tmp_path / "audio").rglob("*"), tmp_path / "audio"]:
        assert path.stat().st_mode & 0o777 == (folder if path.is_dir() else file), path
    assert record_path(tmp_path / "table.csv").stat().st_mode & 0o777 == file
