"""l2i.limits: memory as machine, cgroups and scheduler allow it."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from helpers.project import PROJECT
from l2i.limits import ASKED_FOR, LARGE_PAGES, MiB, free_main_memory, memory_limits

GB = 10**9


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine with 64 GB, 60 of them free, on which this process holds 1 GB and maps 2 more."""
    memory = psutil.virtual_memory()._replace(total=64 * GB, available=60 * GB)
    held = psutil.Process().memory_info()._replace(rss=3 * GB, shared=2 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(psutil.Process, "memory_info", lambda self: held)


def files(root, contents):
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")
    return root


def version_2(folder, limit, used, file=0, high="max"):
    return {
        f"sys/fs/cgroup/{folder}memory.max": limit,
        f"sys/fs/cgroup/{folder}memory.high": high,
        f"sys/fs/cgroup/{folder}memory.current": used,
        f"sys/fs/cgroup/{folder}memory.stat": f"anon 5\nactive_file {file}\ninactive_file {file}",
    }


def version_1(folder, limit, used, file=0):
    return {
        f"sys/fs/cgroup/memory/{folder}memory.limit_in_bytes": limit,
        f"sys/fs/cgroup/memory/{folder}memory.usage_in_bytes": used,
        f"sys/fs/cgroup/memory/{folder}memory.stat": f"total_inactive_file {file}\ncache 77",
    }


class TestMachine:
    def test_without_limits_it_is_what_the_machine_has(self, tmp_path):
        assert free_main_memory({}, tmp_path) == 60 * GB
        assert memory_limits({}, tmp_path) == {"machine": 64 * GB}

    def test_this_very_process_has_some(self):
        assert free_main_memory() <= 60 * GB and memory_limits()["machine"] == 64 * GB


class TestScheduler:
    def test_what_was_asked_for_counts_less_what_is_held(self, tmp_path):
        asked = {ASKED_FOR: str(8 * GB)}
        assert free_main_memory(asked, tmp_path) == 7 * GB
        assert memory_limits(asked, tmp_path)["asked_for"] == 8 * GB

    @pytest.mark.parametrize(
        "environment",
        [
            {"SLURM_MEM_PER_NODE": "4096"},
            {"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_ON_NODE": "4"},
        ],
    )
    def test_so_does_what_slurm_says(self, tmp_path, environment):
        assert memory_limits(environment, tmp_path)["slurm"] == 4096 * MiB
        assert free_main_memory(environment, tmp_path) == 4096 * MiB - GB

    def test_zero_is_the_whole_node(self, tmp_path):
        assert free_main_memory({"SLURM_MEM_PER_NODE": "0"}, tmp_path) == 60 * GB

    def test_the_smallest_bound_counts(self, tmp_path):
        root = files(tmp_path, {"proc/self/cgroup": "0::/", **version_2("", 9 * GB, 0)})
        environment = {"SLURM_MEM_PER_NODE": "6000", ASKED_FOR: str(8 * GB)}
        assert free_main_memory(environment, root) == 6000 * MiB - GB
        assert memory_limits(environment, root) == {
            "machine": 64 * GB,
            "slurm": 6000 * MiB,
            "asked_for": 8 * GB,
            "cgroup": 9 * GB,
        }

    def test_more_than_allowed_is_less_than_nothing_left(self, tmp_path):
        assert free_main_memory({ASKED_FOR: str(GB // 2)}, tmp_path) < 0


class TestCgroups:
    def test_version_2_counts_what_is_used_but_no_copies_of_files(self, tmp_path):
        of_job = version_2("slurm/job_7/", 10 * GB, 6 * GB, file=GB)
        root = files(tmp_path, {"proc/self/cgroup": "0::/slurm/job_7", **of_job})
        assert free_main_memory({}, root) == 6 * GB
        assert memory_limits({}, root)["cgroup"] == 10 * GB

    def test_version_1(self, tmp_path):
        lines = "12:cpu,cpuacct:/other\n7:memory:/slurm/uid_0/job_7\n0::/"
        of_job = version_1("slurm/uid_0/job_7/", 10 * GB, 6 * GB, file=GB)
        root = files(tmp_path, {"proc/self/cgroup": lines, **of_job})
        assert free_main_memory({}, root) == 5 * GB

    @pytest.mark.parametrize(("version", "line"), [(version_1, "3:memory:"), (version_2, "0::")])
    def test_the_tightest_of_nested_ones_counts(self, tmp_path, version, line):
        root = files(
            tmp_path,
            {
                "proc/self/cgroup": f"{line}/a/b/c",
                **version("", 50 * GB, 0),
                **version("a/", 20 * GB, 19 * GB),
                **version("a/b/", 10 * GB, GB),
                **version("a/b/c/", 2**63 - 4096 if version is version_1 else "max", GB),
            },
        )
        assert free_main_memory({}, root) == GB
        assert memory_limits({}, root)["cgroup"] == 10 * GB

    @pytest.mark.parametrize("limit", ["max", str(2**63 - 4096)])
    def test_no_limit_is_none(self, tmp_path, limit):
        root = files(tmp_path, {"proc/self/cgroup": "0::/a", **version_2("a/", limit, 5 * GB)})
        assert free_main_memory({}, root) == 60 * GB
        assert "cgroup" not in memory_limits({}, root)

    def test_the_soft_limit_of_version_2_counts(self, tmp_path):
        of_job = version_2("a/", 10 * GB, 0, high=4 * GB)
        root = files(tmp_path, {"proc/self/cgroup": "0::/a", **of_job})
        assert free_main_memory({}, root) == 4 * GB

    def test_a_container_that_is_told_its_path_on_the_host_sees_its_limit(self, tmp_path):
        lines = "5:memory:/docker/0123abcd"
        root = files(tmp_path, {"proc/self/cgroup": lines, **version_1("", 4 * GB, GB)})
        assert free_main_memory({}, root) == 3 * GB


SWITCH = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(
    not SWITCH.exists() or "[madvise]" not in SWITCH.read_text(),
    reason="this system gives large pages to nobody, or to everybody",
)
@pytest.mark.parametrize("asked", [True, False])
def test_arrays_of_a_job_lie_in_large_pages(asked):
    """The harness, which scripts import first, asks before anything can allocate."""
    lines = [
        f"import sys; sys.path.insert(0, {str(PROJECT / 'workflow')!r})",
        "import harness.job" if asked else "",
        "import torch, l2i.systems.by_design, l2i.systems.loading",
        "kept = torch.ones(2**24)",
        "print(open('/proc/self/smaps_rollup').read())",
    ]
    # A test of the harness in this process has asked for itself.
    environment = {key: value for key, value in os.environ.items() if key != LARGE_PAGES}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    (line,) = [s for s in done.stdout.splitlines() if s.startswith("AnonHugePages")]
    assert (int(line.split()[1]) > 2**15) == asked  # kB; the array has twice as many
