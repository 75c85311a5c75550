"""The benchmark itself: rows and bars, the machine, parts that fail, the report and its page."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import pytest

from documentation import speed
from documentation.places import MEASURED
from documentation.printing import printed
from helpers.project import PROJECT
from l2i.checks import InputError

BENCH = PROJECT / "workflow" / "bench"
MODULES = ("rows", "machine", "parts", "measuring", "demo", "tables")


@pytest.fixture(scope="module", autouse=True)
def of_bench():
    """Its modules, which see each other as `python workflow/bench` has them; then gone again."""
    before = {name: sys.modules.pop(name, None) for name in MODULES}
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))
    for name in MODULES:
        sys.modules.pop(name, None)
        if before[name] is not None:
            sys.modules[name] = before[name]


def imported(name):
    return __import__(name)


# ------------------------------------------------------------------ rows


class TestRows:
    @pytest.mark.parametrize(
        ("maker", "numbers", "ratio", "met"),
        [
            ("faster", (2.0, 14.0, 7), 7.0, True),
            ("faster", (2.0, 13.9, 7), 6.95, False),
            ("at_most_of", (6.0, 10.0, 0.6), 0.6, True),
            ("at_most_of", (6.1, 10.0, 0.6), 0.61, False),
            ("near_floor", (10.0, 7.0, 0.7), 0.7, True),
            ("near_floor", (10.1, 7.0, 0.7), 7 / 10.1, False),
            ("at_most", (4.0, 4), None, True),
            ("at_most", (4.1, 4), None, False),
        ],
    )
    def test_each_is_judged_by_what_its_maker_says(self, maker, numbers, ratio, met):
        row = getattr(imported("rows"), maker)("a part: a thing", "s", *numbers)
        assert row.ratio == (None if ratio is None else pytest.approx(ratio))
        assert row.met is met and row.verdict == ("met" if met else "missed")

    def test_without_a_bar_nothing_is_judged(self):
        row = imported("rows").at_most("a thing", "s", 3.0)
        assert row.met is None and row.verdict == "no bar"

    def test_what_is_no_number_or_was_not_measured_meets_no_bar(self):
        rows = imported("rows")
        assert rows.faster("a thing", "s", math.nan, 1.0, 2).met is False
        lost = rows.Row("a thing", "s", None, bar=2.0, note="no such disk")
        assert lost.met is False and lost.verdict == "not measured"


# ------------------------------------------------------------------ the machine


class TestMachine:
    def test_the_rate_of_products_is_reached_by_none_of_them(self, monkeypatch):
        """The best of several is at least what one product reaches, and within any processor's."""
        machine, torch = imported("machine"), imported("torch")
        monkeypatch.setattr(machine, "SIZES", (256,))
        before = torch.get_num_threads()
        rate = machine.gemm_rate(torch.float32, 1)
        assert 1e8 < rate < 1e13 and torch.get_num_threads() == before

    def test_a_product_counts_two_operations_for_each_of_its_terms(self, monkeypatch):
        machine, torch = imported("machine"), imported("torch")
        monkeypatch.setattr(machine, "SIZES", (64,))
        ticks = iter([0.0, 5.0] + [10.0, 12.0] + [20.0, 29.0] * 9)  # of which two seconds are best
        monkeypatch.setattr(machine.time, "perf_counter", lambda: next(ticks))
        assert machine.gemm_rate(torch.float32, 1) == 2 * 64**3 / 2.0

    def test_what_the_disk_is_tried_with_is_gone(self, tmp_path):
        rates = imported("machine").disk_rates(tmp_path, 2**23)
        assert rates.keys() == {"write", "read"} and min(rates.values()) > 0
        assert [*tmp_path.iterdir()] == []

    def test_own_work_is_not_that_of_others(self, monkeypatch):
        machine = imported("machine")
        busy, own, clock = iter((10.0, 16.0)), iter((1.0, 5.0)), iter((0.0, 4.0))
        monkeypatch.setattr(machine, "_busy_seconds", lambda: next(busy))
        monkeypatch.setattr(machine, "cpu_seconds", lambda: next(own))
        monkeypatch.setattr(machine.time, "perf_counter", lambda: next(clock))
        with machine.watched() as others:
            others.n_cores = 4
        assert others.cores == pytest.approx((6 - 4) / 4) and others.share == pytest.approx(0.125)
        assert others.disturbed

    def test_seconds_of_children_count_as_own(self):
        machine = imported("machine")
        before = machine.cpu_seconds()
        burn = "import time\nwhile time.process_time() < 0.3: pass"
        subprocess.run([sys.executable, "-c", burn], check=True)
        assert machine.cpu_seconds() - before >= 0.29


# ------------------------------------------------------------------ parts


MADE = "from rows import at_most, faster\ndef measure(given):\n return [{}]"
PLUGINS = {
    "good": MADE.format("at_most('good: x', 's', 1, 2)"),
    "slow": MADE.format("faster('slow: x', 's', 2, 2, 7)"),
    "bad": "def measure(given):\n raise OSError('the disk | is full')",
    "dead": "import os\ndef measure(given):\n os.kill(os.getpid(), 9)",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Of four parts, two of which fail, each in its own way."""
    measuring, machine = imported("measuring"), imported("machine")
    folder, patch = tmp_path_factory.mktemp("parts"), pytest.MonkeyPatch()
    for name, text in PLUGINS.items():
        (folder / f"{name}.py").write_text(text)
    with patch.context() as patched:
        patched.setattr(sys, "path", [str(folder), *sys.path])
        patched.setattr(machine, "SIZES", (64,))
        patched.setattr(machine, "N_DISK_BYTES", 2**22)
        patched.setattr(machine.disk_rates, "__defaults__", (2**22,))
        Part = imported("parts").Part
        said, done = [], []
        found = measuring.measured(
            [Part("bad", "A bad one"), Part("dead", "A dead one")]
            + [Part("slow", "A slow one"), Part("good", "A good one")],
            audio=None,
            commit="HEAD",
            say=said.append,
            done=done.append,
        )
    assert [*map(measuring.in_short, done)] and done == found["parts"]
    assert "[4/4] A good one ..." in said
    return json.loads(json.dumps(found))


class TestParts:
    def test_one_that_fails_says_so_and_the_others_go_on(self, report):
        errors = {part["name"]: part["error"] for part in report["parts"]}
        assert errors["bad"] == "OSError: the disk | is full"
        assert "killed" in errors["dead"]
        assert errors["slow"] is None and errors["good"] is None
        assert [row["name"] for part in report["parts"] for row in part["rows"]] == [
            "slow: x",
            "good: x",
        ]

    def test_what_failed_or_missed_its_bar_is_missed(self, report):
        missed = imported("measuring").missed(report)
        assert missed == ["A bad one", "A dead one", "slow: x"]

    def test_they_are_chosen_by_name(self):
        parts = imported("parts")
        usual = [part.name for part in parts.chosen_parts(None)]
        assert "demo" not in usual and {"features", "nmf"} <= {*usual}
        assert [p.name for p in parts.chosen_parts(["nmf", "features", "nmf"])] == [
            "nmf",
            "features",
        ]
        assert [p.name for p in parts.chosen_parts(["nmf"], demo=True)] == ["nmf", "demo"]
        with pytest.raises(InputError, match="names nfm; the parts are features"):
            parts.chosen_parts(["nfm"])

    def test_each_has_a_module_with_one_face(self):
        for name in imported("parts").PARTS:
            path = BENCH / f"{name}.py"
            assert "def measure(given: Given) -> list[Row]:" in path.read_text("utf-8"), path

    @pytest.mark.parametrize("arguments", [["--only", "nfm"], ["--audio", "nowhere"]])
    def test_a_command_that_names_nothing_is_refused_in_a_line(self, arguments, tmp_path):
        done = subprocess.run(
            [sys.executable, str(BENCH), *arguments, "--report", str(tmp_path / "made")],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1 and done.stderr.startswith("error: --")
        assert done.stderr.count("\n") == 1 and not (tmp_path / "made").exists()


# ------------------------------------------------------------------ tables


def test_a_figure_of_a_table_waits_for_it_and_scripts_may_read_several_files(tmp_path, monkeypatch):
    tables, ran = imported("tables"), []
    monkeypatch.setattr(tables, "_run", lambda table, folder: ran.append(table.name))
    figure, table, other = (
        tables.Table("draw", {"path_to_numbers": ["a.csv", "made.csv"], "path_to_table": "f.csv"}),
        tables.Table("tabulate", {"path_to_clips": ["a.csv"], "path_to_table": "made.csv"}),
        tables.Table("draw", {"path_to_made": "made.csv", "path_to_table": "g.csv", "n": {}}),
    )
    tables.run([figure, table, other], tmp_path)
    assert ran == ["made", "f", "g"]


# ------------------------------------------------------------------ the demo of an older commit


def test_the_demo_of_a_commit_is_taken_in_a_tree_of_its_own(tmp_path):
    demo, scratch, project = imported("demo"), tmp_path / "scratch", tmp_path / "project"
    scratch.mkdir()
    git = ["git", "-C", str(project), "-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", "init", "-q", str(project)], check=True)
    for seconds in (0.6, 0.1):
        burn = f"import time\nwhile time.process_time() < {seconds}: pass\n"
        (project / "work.py").write_text(burn + "open('made', 'w')\n")
        subprocess.run([*git, "add", "."], check=True)
        subprocess.run([*git, "commit", "-qm", "x"], check=True)
    theirs, ours = (
        demo.time_of(project, commit, scratch, [("work.py",)]) for commit in ("HEAD~1", "HEAD")
    )
    assert theirs.cpu > 0.55 and theirs.wall >= 0.55 and ours.cpu < theirs.cpu
    assert not (project / "made").exists() and [*scratch.iterdir()] == []
    listed = subprocess.run([*git, "worktree", "list"], capture_output=True, text=True, check=True)
    assert len(listed.stdout.splitlines()) == 1
    with pytest.raises(InputError, match="no-such-commit"):
        demo.time_of(project, "no-such-commit", scratch)
    with pytest.raises(InputError, match="SyntaxError|NameError"):
        demo.time_of(project, "HEAD", scratch, [("-c", "nothing")])
    assert [*scratch.iterdir()] == []


# ------------------------------------------------------------------ the report and its page


class TestReport:
    def test_it_says_where_it_was_made_and_holds_every_row_and_failure(self, report):
        page = speed.report_page(report)
        machine = report["machine"]
        for told in (machine["cpu"], machine["commit"]["commit"][:7], "GFLOP/s", "MB/s", "torch "):
            assert told in page
        lines = page.splitlines()
        (slow,) = [line for line in lines if line.startswith("| slow: x")]
        assert [cell.strip() for cell in slow.strip("|").split("|")][1:] == [
            *("s", "2", "2", "1", "at least 7", "missed", ""),
        ]
        assert any("A bad one" in x and "failed" in x and "disk \\| is full" in x for x in lines)
        assert any("A dead one" in x and "killed" in x for x in lines)

    def test_a_machine_that_was_busy_is_told(self, report):
        for part in report["parts"]:
            part["others"] = {"cores": 0.01, "disturbed": False}
        assert "not quiet" not in speed.report_page(report)
        report["parts"][2]["others"] = {"cores": 1.2, "disturbed": True}
        assert "others computed during A slow one" in speed.report_page(report)

    def test_what_was_left_out_is_told(self, report):
        assert "Left out of this run: Features, Training, post-hoc" in speed.report_page(report)

    def test_it_is_kept_for_the_page_which_shows_it(self, report, tmp_path):
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / speed.FILE).write_text(json.dumps(report))
        said = speed.take_report(tmp_path / "run", tmp_path / "measured")
        assert "failed, and the page will say so: A bad one, A dead one" in said
        block = "<!-- measured: bench bars -->\nold\n<!-- /measured -->"
        page = printed(block, tmp_path / "measured")
        assert "| slow: x" in page and "old" not in page
        with pytest.raises(InputError, match="names rows; there are machine, bars, parts"):
            printed(block.replace("bars", "rows"), tmp_path / "measured")

    def test_one_of_tiny_sizes_is_refused(self, report, tmp_path):
        (tmp_path / speed.FILE).write_text(json.dumps(report | {"tiny": True}))
        with pytest.raises(InputError, match="made with --tiny"):
            speed.take_report(tmp_path, tmp_path / "measured")
        assert not (tmp_path / "measured").exists()

    def test_the_one_that_is_kept_was_no_trial(self):
        kept = json.loads((MEASURED / speed.RUN / speed.FILE).read_text(encoding="utf-8"))
        assert not kept["tiny"] and kept["parts"]
