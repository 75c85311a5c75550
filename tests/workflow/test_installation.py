"""`make env`: which Python it takes, on which system, and what it installs from where."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from helpers.project import PROJECT

REAL = sys._base_executable
# All that the recipe needs of a system, beside a Python.
TOOLS = ["awk", "bash", "cat", "cksum", "env", "grep", "make", "mkdir", "rm", "sh", "touch", "tr"]


class Machine:
    """A checkout, and a PATH on which there are only stand-ins."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        for name in TOOLS:
            (self.bin / name).symlink_to(shutil.which(name))
        for name in ("Makefile", "pyproject.toml", "setup.py"):
            shutil.copy(PROJECT / name, folder)
        shutil.copytree(PROJECT / "envs", folder / "envs")
        self.system("Linux x86_64")

    def system(self, name):
        self.program(self.bin / "uname", f"echo {name}")

    def python(self, name, version, *, venv=True, path=None):
        """One that tells its version, and notes what it is asked to make in place of making it."""
        numbers = ", ".join(version.split("."))
        lies = f"import sys; sys.version_info = ({numbers}); exec(sys.argv[1])"
        no_venv = "*ensurepip*) exit 1 ;;" if not venv else ""
        self.program(
            path or self.bin / name,
            f'case "$2" in {no_venv} *) ;; esac\n'
            f"""[ "$1" = -c ] && exec {REAL} -c '{lies}' "$2"\n"""
            f'[ "$1" = --version ] && echo Python {version} && exit\n'
            'case "$*" in "-m pip --version") exit 0 ;; esac\n'
            f'echo {name} "$@" >> {self.folder}/calls; exit 7',
        )

    def program(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def make(self, *variables):
        return subprocess.run(
            ["make", "env", *variables],
            cwd=self.folder,
            env={"PATH": str(self.bin), "HOME": str(self.folder)},
            capture_output=True,
            text=True,
        )

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


class TestSystem:
    @pytest.mark.parametrize("name", ["Linux x86_64", "Linux aarch64", "Darwin arm64"])
    def test_those_that_the_locks_are_for_are_taken(self, machine, name):
        machine.system(name)
        machine.python("python3.11", "3.11.2")
        machine.make()
        assert machine.calls() == ["python3.11 -m venv --clear .venv"]

    @pytest.mark.parametrize("name", ["Darwin x86_64", "Linux armv7l", "MINGW64_NT-10.0 x86_64"])
    def test_another_one_is_told_so_before_anything_is_made(self, machine, name):
        machine.system(name)
        machine.python("python3.11", "3.11.2")
        done = machine.make()
        assert done.returncode and not machine.calls()
        assert f"macOS on Apple silicon, and this is {name}" in done.stderr


class TestPython:
    @pytest.mark.parametrize(
        ("there", "taken"),
        [
            ({"python3.13": "3.13.0"}, "python3.13"),
            ({"python3.12": "3.12.1", "python3.13": "3.13.0"}, "python3.12"),
            ({"python3": "3.11.9"}, "python3"),
            ({"python3": "3.14.0", "python3.13": "3.13.2"}, "python3.13"),
            ({"python3": "3.10.13", "python3.12": "3.12.1"}, "python3.12"),
        ],
    )
    def test_one_that_serves_is_taken_whatever_else_is_there(self, machine, there, taken):
        for name, version in there.items():
            machine.python(name, version)
        machine.make()
        assert machine.calls() == [f"{taken} -m venv --clear .venv"]

    @pytest.mark.parametrize("version", ["3.10.13", "3.14.0"])
    def test_where_none_serves_it_says_what_is_there_and_the_remedy(self, machine, version):
        machine.python("python3", version)
        done = machine.make()
        assert done.returncode and not machine.calls()
        assert "error: Python 3.11, 3.12 or 3.13 is needed" in done.stderr
        assert f"python3 is Python {version}" in done.stderr
        assert "make env PYTHON=/path/to/python3.11" in done.stderr

    def test_where_there_is_none_at_all_likewise(self, machine):
        assert "there is no Python" in machine.make().stderr

    def test_what_a_version_manager_only_pretends_to_have_is_passed_over(self, machine):
        machine.program(machine.bin / "python3.11", "echo no such version >&2; exit 127")
        machine.python("python3.12", "3.12.1")
        machine.make()
        assert machine.calls() == ["python3.12 -m venv --clear .venv"]

    def test_one_without_its_module_venv_is_told_with_the_package(self, machine):
        machine.python("python3.12", "3.12.1", venv=False)
        done = machine.make()
        assert done.returncode and not machine.calls()
        assert "python3.12 has no module venv" in done.stderr and "python3.12-venv" in done.stderr

    def test_one_that_is_named_comes_before_all_others(self, machine):
        machine.python("python3.11", "3.11.2")
        machine.python("other", "3.13.0", path=machine.folder / "other")
        machine.make("PYTHON=./other")
        assert machine.calls() == ["other -m venv --clear .venv"]

    def test_one_that_is_named_and_does_not_serve_is_refused(self, machine):
        machine.python("python3.11", "3.11.2")
        machine.python("other", "3.14.0", path=machine.folder / "other")
        done = machine.make("PYTHON=./other")
        assert done.returncode and not machine.calls() and "./other is Python 3.14.0" in done.stderr

    def test_one_that_is_named_and_is_not_there_is_told_by_its_name(self, machine):
        machine.python("python3.11", "3.11.2")
        done = machine.make("PYTHON=python3.14")
        assert done.returncode and not machine.calls()
        assert "there is no program python3.14" in done.stderr
        assert "there is no Python" not in done.stderr


class TestKept:
    """What becomes of an environment that is there already."""

    MADE = "python3.11 -m venv --clear .venv"

    @pytest.fixture(autouse=True)
    def python(self, machine):
        machine.python("python3.11", "3.11.2")

    def there(self, machine, version="3.11.2", index=""):
        machine.python("venv", version, path=machine.folder / ".venv/bin/python")
        (machine.folder / ".venv/torch-index").write_text(index)

    def test_it_is_kept_where_it_serves(self, machine):
        self.there(machine)
        machine.make()
        assert self.MADE not in machine.calls() and "venv -m pip" in machine.calls()[0]

    def test_pip_in_it_is_brought_to_its_pinned_version_first(self, machine):
        self.there(machine)
        machine.make()
        assert machine.calls()[0].endswith("--require-hashes --requirement envs/installers.txt")
        assert "pip==" in (machine.folder / "envs/installers.txt").read_text()

    def test_one_of_a_python_that_does_not_serve_is_made_anew(self, machine):
        self.there(machine, version="3.14.0")
        machine.make()
        assert machine.calls() == [self.MADE]

    def test_one_without_pip_is_made_anew(self, machine):
        machine.program(machine.folder / ".venv/bin/python", "exit 1")
        machine.make()
        assert machine.calls() == [self.MADE]

    def test_one_with_another_pytorch_is_made_anew_and_named_once_is_remembered(self, machine):
        self.there(machine, index="wheels")
        for folder in ("wheels", "others"):
            write_wheel(machine.folder / folder, "torch", "2.0")
        machine.make("TORCH_INDEX=")
        machine.make("TORCH_INDEX=others")
        assert machine.calls() == [self.MADE] * 2
        machine.make()
        machine.make("TORCH_INDEX=wheels")
        assert machine.calls().count(self.MADE) == 2

    @pytest.mark.parametrize("index", ["no/such/folder", "empty"])
    def test_a_folder_without_pytorch_is_refused_before_anything_is_cleared(self, machine, index):
        self.there(machine)
        (machine.folder / "empty").mkdir()
        done = machine.make(f"TORCH_INDEX={index}")
        assert done.returncode and not machine.calls()
        assert f"TORCH_INDEX={index} is no address, and no folder with a wheel" in done.stderr

    def test_an_index_by_its_address_is_asked(self, machine):
        self.there(machine)
        machine.make("TORCH_INDEX=https://there.invalid/cpu")
        assert machine.calls() == [self.MADE]


# ---------------------------------------------------------------- what is installed, from wheels


def write_wheel(folder, name, version, requires=()):
    """A wheel with one module, which holds its version; returns its sha256."""
    info = f"{name}-{version}.dist-info"
    told = "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{told}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        path: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
        for path, text in files.items()
    }
    lines = [f"{path},sha256={digests[path]},{len(files[path])}\n" for path in files]
    files[f"{info}/RECORD"] = "".join(lines) + f"{info}/RECORD,,\n"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


class TestPyTorchForCPUs:
    """The script itself and uv, on a lock of three packages and wheels in two folders."""

    @pytest.fixture
    def checkout(self, tmp_path):
        shutil.copytree(PROJECT / "envs", tmp_path / "envs")
        shas = {
            "torch": write_wheel(
                tmp_path / "public", "torch", "2.0", ["nvidia_any; os_name != ''"]
            ),
            "nvidia_any": write_wheel(tmp_path / "public", "nvidia_any", "13"),
            "numbers_of": write_wheel(tmp_path / "public", "numbers_of", "1.5", ["torch"]),
        }
        (tmp_path / "envs/installers.txt").write_text("")
        self.write_lock(tmp_path, shas)
        # What make_venv would make, quicker: uv of this environment, and a pip that can nothing.
        venv = tmp_path / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(venv)}))
        (site / "pip").mkdir()
        (site / "pip/__main__.py").write_text(
            "import sys; sys.exit(not {'--version', 'envs/installers.txt'} & {*sys.argv})"
        )
        (venv / "bin/uv").symlink_to(Path(sysconfig.get_path("scripts")) / "uv")
        return tmp_path

    def write_lock(self, folder, shas):
        (folder / "lock.txt").write_text(
            f"numbers_of==1.5 \\\n    --hash=sha256:{shas['numbers_of']}\n    # via -r lock.in\n"
            f"nvidia_any==13 ; sys_platform == 'linux' \\\n    --hash=sha256:{shas['nvidia_any']}\n"
            f"    # via torch\ntorch==2.0 \\\n    --hash=sha256:{shas['torch']}\n"
        )

    def install(self, folder, index=""):
        (folder / ".venv/torch-index").write_text(index)
        public = {f"{tool}_FIND_LINKS": str(folder / "public") for tool in ("PIP", "UV")}
        offline = {f"{tool}_NO_INDEX": "1" for tool in ("PIP", "UV")}
        return subprocess.run(
            ["envs/install.sh", "lock.txt"],
            cwd=folder,
            env=os.environ
            | public
            | offline
            | {"TORCH_INDEX": index, "PIP_CONFIG_FILE": os.devnull},
            capture_output=True,
            text=True,
        )

    def installed(self, folder):
        site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / ".venv")}))
        found = [
            path.name.removesuffix(".dist-info").split("-") for path in site.glob("*.dist-info")
        ]
        return {name: version for name, version in found}

    def test_without_an_index_all_is_as_locked(self, checkout):
        done = self.install(checkout)
        assert done.returncode == 0, done.stderr
        assert self.installed(checkout) == {
            **{"numbers_of": "1.5", "nvidia_any": "13", "torch": "2.0"}
        }
        # As pip does by itself; else every job compiles them where Python must not write.
        compiled = {path.name.split(".")[0] for path in checkout.rglob("__pycache__/*.pyc")}
        assert compiled >= {"numbers_of", "nvidia_any", "torch"}

    def test_with_one_pytorch_comes_from_there_and_nothing_else_does(self, checkout):
        write_wheel(checkout / "cpu", "torch", "2.0+cpu")
        write_wheel(checkout / "cpu", "numbers_of", "1.5", ["something"])  # not the locked one
        done = self.install(checkout, "cpu")
        assert done.returncode == 0, done.stderr
        assert self.installed(checkout) == {**{"numbers_of": "1.5", "torch": "2.0+cpu"}}

    def test_all_others_are_held_to_their_hashes(self, checkout):
        write_wheel(checkout / "cpu", "torch", "2.0+cpu")
        write_wheel(checkout / "public", "numbers_of", "1.5", ["torch", "typing"])
        done = self.install(checkout, "cpu")
        assert done.returncode and "hash" in done.stderr.lower()
        assert "numbers_of" not in self.installed(checkout)

    def test_another_version_than_the_locked_one_is_not_taken(self, checkout):
        write_wheel(checkout / "cpu", "torch", "2.1+cpu")
        done = self.install(checkout, "cpu")
        assert done.returncode and "no torch==2.0 and" in done.stderr
        assert "from TORCH_INDEX=cpu" in done.stderr
        assert "torch" not in self.installed(checkout)

    def test_a_build_that_needs_what_is_left_out_is_told(self, checkout):
        write_wheel(checkout / "cpu", "torch", "2.0+gpu", ["nvidia_any"])
        done = self.install(checkout, "cpu")
        assert done.returncode and "packages do not fit each other" in done.stderr
        assert "nvidia" in done.stderr


class TestAudit:
    """`make audit`, with a stand-in for what asks the service."""

    @pytest.fixture
    def audit(self, tmp_path):
        def audit(says):
            program = tmp_path / "pip-audit"
            program.write_text(
                '#!/bin/bash\nwhile [ "$1" != --output ]; do [ "$1" = --requirement ] && lock=$2; '
                f"shift; done\nout=$2\n{says}\n"
            )
            program.chmod(0o755)
            python = tmp_path / ".venv/bin/python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.write_text(
                "#!/bin/sh\nmkdir -p .venv/audit/bin\n: > .venv/audit/bin/python\n"
                "chmod +x .venv/audit/bin/python\ncp pip-audit .venv/audit/bin\n"
            )
            python.chmod(0o755)
            return subprocess.run(
                [PROJECT / "envs/audit.sh", "envs/a.txt", "envs/b.txt"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
            )

        return audit

    def test_where_nothing_is_known_it_ends_well(self, audit):
        done = audit("exit 0")
        assert done.returncode == 0
        assert done.stdout.count("no vulnerability is known") == 2

    def test_what_is_known_is_shown_of_every_lock(self, audit):
        done = audit('[ $lock = envs/a.txt ] && echo "numpy CVE" > $out && exit 1\nexit 0')
        assert done.returncode == 1 and "numpy CVE" in done.stdout
        assert "envs/b.txt: no vulnerability is known" in done.stdout

    def test_where_nobody_could_be_asked_it_says_so_and_fails(self, audit):
        done = audit("echo ConnectionError >&2; exit 1")
        assert done.returncode == 2 and "no vulnerability" not in done.stdout
        assert "envs/a.txt was NOT audited" in done.stderr and "ConnectionError" in done.stderr

    def test_it_is_asked_to_fail_on_what_the_service_does_not_know(self):
        assert "--strict " in (PROJECT / "envs/audit.sh").read_text()
