"""Homes that cannot hold caches: missing, read-only, another user's."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import pytest
import yte

from helpers.project import PROJECT

PROFILE = PROJECT / "profiles" / "default" / "config.yaml"
SAID = "No folder for caches can be written to; using"
# Nobody can make a folder there, not even root.
NO_HOME = "/dev/null/home"


def read_profile(tmp_path, **environment):
    """What the profile sets and says, in a process with this environment."""
    code = (
        "import os, yte; yte.process_yaml(open(os.environ['PROFILE']), require_use_yte=True); "
        "print(os.getenv('XDG_CACHE_HOME'), os.getenv('MPLCONFIGDIR'))"
    )
    environment = {"PROFILE": str(PROFILE), "TMPDIR": str(tmp_path), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.split(), done.stderr


class TestCaches:
    def test_a_home_that_can_be_written_to_is_left_alone(self, tmp_path):
        assert read_profile(tmp_path, HOME=str(tmp_path)) == (["None", "None"], "")

    @pytest.mark.parametrize("name", ["HOME", "XDG_CACHE_HOME"])
    def test_else_caches_lie_in_a_folder_that_nobody_else_can_write_to(self, tmp_path, name):
        (cache, matplotlib), said = read_profile(tmp_path, **{name: NO_HOME})
        assert cache == f"{tmp_path}/l2i-cache-{os.getuid()}" and matplotlib.startswith(cache)
        assert stat.S_IMODE(os.stat(cache).st_mode) == 0o700
        assert said.startswith(SAID) and said.count("\n") == 1

    def test_a_folder_that_others_have_prepared_is_not_used(self, tmp_path):
        # numba runs what it finds in its cache.
        planted = tmp_path / f"l2i-cache-{os.getuid()}"
        planted.mkdir(mode=0o777)
        planted.chmod(0o777)
        (cache, _), _ = read_profile(tmp_path, HOME=NO_HOME)
        assert cache != str(planted) and cache.startswith(f"{tmp_path}/l2i-cache-")
        planted.rmdir()
        planted.symlink_to(tmp_path)
        assert read_profile(tmp_path, HOME=NO_HOME)[0][0] not in (str(planted), str(tmp_path))

    def test_the_rest_of_the_profile_is_what_it_says(self):
        with PROFILE.open() as file:
            profile = yte.process_yaml(file, require_use_yte=True)
        assert profile.pop("logger") == ["l2i"]
        assert profile.keys() == {"rerun-triggers", "max-checksum-file-size"}


@pytest.mark.slow
def test_snakemake_runs_without_a_home_and_says_so_once(tmp_path):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
    command += ["--directory", str(tmp_path), "--dry-run", "--quiet"]
    environment = os.environ | {"HOME": NO_HOME, "TMPDIR": str(tmp_path)}
    environment.pop("XDG_CACHE_HOME", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (done.stdout + done.stderr).count(SAID) == 1
    assert "Traceback" not in done.stdout + done.stderr
