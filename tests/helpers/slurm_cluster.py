"""A real SLURM on this machine, on loopback: three pretended nodes, two of them with a GPU.

Nothing is installed. Debian's packages are unpacked into a folder of their own and run from there,
and only who asks for the cluster's `environment()` finds its commands: where SLURM is on the PATH
of all and no controller runs, each call of Snakemake waits ten seconds for one.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PREFIX = Path.home() / ".cache" / "l2i-slurm"
SLURM = ["slurm-client", "slurmctld", "slurmd", "slurmdbd", "slurm-wlm-basic-plugins"]
PACKAGES = [*SLURM, "slurm-wlm-mysql-plugin", "munge", "mariadb-server-core"]
# Of what they depend on, all that is loaded here and a machine may lack.
LIBRARIES = ["libmunge2", "libhwloc15", "libmariadb3", "libaio1", "liburing2", "libpam0g"]
QUERIES = ["scontrol", "sinfo", "squeue", "sacct", "sacctmgr", "sshare"]
COMMANDS = ["sbatch", "scancel", "srun", *QUERIES]
NODES = {"cpu1": "", "gpu1": "Gres=gpu:1", "gpu2": "Gres=gpu:1"}
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}


class NoSlurm(Exception):
    """Why there can be no SLURM here."""


def unpacked() -> Path:
    """Folder that holds Debian's SLURM, munge and MariaDB; made once, of 150 MB.

    Raises
    ------
    NoSlurm
        Where the packages cannot be had.
    """
    if not (PREFIX / "complete").exists():
        if not (
            shutil.which("apt-get") and shutil.which("dpkg") and os.uname().machine == "x86_64"
        ):
            raise NoSlurm(
                "SLURM comes from packages of Debian for x86-64, which this machine lacks"
            )
        folder = PREFIX.with_name(f"{PREFIX.name}.{os.getpid()}")  # workers may begin together
        folder.mkdir(parents=True)
        try:
            _download(folder)
            for deb in folder.glob("*.deb"):
                _done(["dpkg", "-x", str(deb), str(folder)])
                deb.unlink()
            (folder / "complete").touch()
            with contextlib.suppress(OSError):  # another worker was first
                folder.rename(PREFIX)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return PREFIX


def _download(folder: Path) -> None:
    """The packages into a folder; with fresh lists where the ones at hand are old or none."""
    command = ["apt-get", "download", *PACKAGES, *LIBRARIES]
    try:
        _done(command, cwd=folder)
    except NoSlurm:
        _done(["apt-get", "update"])
        _done(command, cwd=folder)


def _done(command: list[str], **options: Any) -> None:
    """Run a command; NoSlurm with its last words if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        last = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise NoSlurm(f"`{' '.join(command[:2])}` fails: {last}")


class Cluster:
    """A cluster in a folder: partitions `cpu`, which is the default, and `gpu`.

    Parameters
    ----------
    folder : Path
        Empty, with a short name, since sockets lie in it. Holds configuration, state and logs.
    accounting : bool
        Whether there is a data base of jobs. Without one `sacct` is there and says so.
    sacct : bool
        Whether there is `sacct` at all.
    min_job_age : int
        Seconds for which `squeue` knows a job that has ended.
    """

    def __init__(
        self, folder: Path, *, accounting: bool = False, sacct: bool = True, min_job_age: int = 3600
    ) -> None:
        self.folder, self.accounting, self.min_job_age = folder, accounting, min_job_age
        self.commands = [name for name in COMMANDS if sacct or name != "sacct"]
        self.prefix = unpacked()
        lib = self.prefix / "usr/lib/x86_64-linux-gnu"
        self.plugins = lib / "slurm-wlm"
        self.libraries = f"{lib}:{self.plugins}"
        self.programs: dict[str, subprocess.Popen] = {}

    # ------------------------------------------------------------------ for tests

    def environment(self) -> dict[str, str]:
        """This process's environment, with the commands of the cluster."""
        return os.environ | {"PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def run(self, *command: str, check: bool = True) -> str:
        """What a command of the cluster prints."""
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def jobs(self, rule: str = "") -> list[dict[str, str]]:
        """Jobs, oldest first, with all that SLURM tells of each; those of a rule or group."""
        text = self.run("scontrol", "--oneliner", "show", "job", check=False)
        lines = [line for line in text.splitlines() if line.startswith("JobId=")]
        found = [dict(p.split("=", 1) for p in line.split() if "=" in p) for line in lines]
        found.sort(key=lambda job: int(job["JobId"]))
        return [job for job in found if job.get("Comment", "").startswith(f"rule_{rule}")]

    def states(self) -> set[str]:
        """States of the nodes."""
        return set(self.run("sinfo", "-h", "-N", "-o", "%T", check=False).split())

    def resume_nodes(self) -> None:
        """Have all nodes work again, and wait until none has anything to do."""
        for node in NODES:
            self.run("scontrol", "update", f"nodename={node}", "state=resume", check=False)
        until(lambda: self.states() == {"idle"}, 60)

    # ------------------------------------------------------------------ life

    def __enter__(self) -> Cluster:
        try:
            self._write()
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End the jobs, then what was started, the last first."""
        if "slurmctld" in self.programs:
            self.run("scancel", "--full", f"--user={getpass.getuser()}", check=False)
            alive = ENDED.__gt__  # a proper subset of what ends
            until(lambda: alive({job["JobState"] for job in self.jobs()}), 20, raises=False)
        for program in reversed(self.programs.values()):
            program.terminate()
            try:
                program.wait(10)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.programs = {}

    def _start(self) -> None:
        own = [
            f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "log", "seed")
        ]
        self._begin("munged", "--foreground", "--force", f"--socket={self._munge()}", *own)
        until(self._munge().exists, 10)
        if self.accounting:
            self._start_accounting()
        self._begin("slurmctld", "-D")
        for node in NODES:
            self._begin(
                "slurmd", "-D", "-N", node, "-d", str(self._program("slurmstepd")), name=node
            )
        until(lambda: self.states() == {"idle"}, 60)

    def _start_accounting(self) -> None:
        data, shipped = self.folder / "db", self.prefix / "usr/share/mysql"
        data.mkdir()
        self._begin(
            "mariadbd",
            "--no-defaults",
            f"--user={getpass.getuser()}",
            f"--datadir={data}",
            f"--lc-messages-dir={shipped}",
            f"--character-sets-dir={shipped}/charsets",
            f"--socket={self.folder}/db.socket",
            f"--port={self.db_port}",
            "--bind-address=127.0.0.1",
            "--skip-grant-tables",
            "--skip-networking=0",
        )
        until((self.folder / "db.socket").exists, 60)
        self._begin("slurmdbd", "-D")
        ask = ("sacctmgr", "--noheader", "list", "account")
        until(lambda: "root" in self.run(*ask, check=False), 60)
        user = f"user {getpass.getuser()} account=lab"
        for added in ("cluster l2i", "account lab cluster=l2i", user):
            self.run("sacctmgr", "--immediate", "add", *added.split())

    def _begin(self, program: str, *arguments: str, name: str = "") -> None:
        """Start a program; what it prints goes to a log of its name."""
        with (self.folder / f"{name or program}.log").open("w") as log:
            self.programs[name or program] = subprocess.Popen(
                [str(self._program(program)), *arguments],
                env=os.environ | {"LD_LIBRARY_PATH": self.libraries, "SLURM_CONF": self._conf()},
                stdout=log,
                stderr=log,
                start_new_session=True,  # out of reach of an interrupt that ends the tests
            )

    def _program(self, name: str) -> Path:
        """Under its own name: Debian's files end in -wlm, and daemons ask how they are called."""
        link, folder = self.folder / "bin" / name, self.prefix / "usr/sbin"
        if not link.is_symlink():
            link.symlink_to(next(p for p in (folder / f"{name}-wlm", folder / name) if p.exists()))
        return link

    # ------------------------------------------------------------------ files

    def _munge(self) -> Path:
        return self.folder / "munge.socket"

    def _conf(self) -> str:
        return str(self.folder / "slurm.conf")

    def _write(self) -> None:
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "bin").mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        self._write_commands()
        ports = _free_ports(3 + len(NODES))
        self.db_port = ports.pop()
        self._write_slurmdbd_conf(ports[-1])
        self._write_slurm_conf(*ports)
        gpus = (f"NodeName={node} Name=gpu File={self._gpu(node)}" for node in NODES if NODES[node])
        self._file("gres.conf", *gpus)
        self._file("cgroup.conf", "")

    def _write_commands(self) -> None:
        """Each command, as one that knows where the cluster is: jobs are not told SLURM_CONF."""
        loader = "/lib64/ld-linux-x86-64.so.2"
        for name in self.commands:
            real = self.prefix / "usr/bin" / name
            start = f'exec {loader} --library-path {self.libraries} {real} "$@"'
            path = self._file(
                f"bin/{name}", "#!/bin/sh", f"export SLURM_CONF={self._conf()}", start
            )
            path.chmod(0o755)

    def _gpu(self, node: str) -> Path:
        """What stands for the GPU of a node. SLURM wants a device, and hands out its number."""
        return Path("/dev/null") if node == "gpu1" else Path("/dev/zero")

    def _write_slurmdbd_conf(self, port: int) -> None:
        path = self._file(
            "slurmdbd.conf",
            "AuthType=auth/munge",
            f"AuthInfo=socket={self._munge()}",
            "DbdHost=localhost",
            "DbdAddr=127.0.0.1",
            f"DbdPort={port}",
            f"SlurmUser={getpass.getuser()}",
            f"PidFile={self.folder}/slurmdbd.pid",
            f"PluginDir={self.plugins}",
            "StorageType=accounting_storage/mysql",
            "StorageHost=127.0.0.1",
            f"StoragePort={self.db_port}",
            "StorageUser=slurm",
            "StorageLoc=slurm_acct_db",
        )
        path.chmod(0o600)

    def _write_slurm_conf(self, *ports: int) -> None:
        host, user = socket.gethostname().split(".")[0], getpass.getuser()
        *of_nodes, ctld, dbd = ports
        storage = ["AccountingStorageType=accounting_storage/none"]
        if self.accounting:
            storage = [
                "AccountingStorageType=accounting_storage/slurmdbd",
                "AccountingStorageHost=127.0.0.1",
                f"AccountingStoragePort={dbd}",
                f"AccountingStoragePass={self._munge()}",  # the socket, whatever its name says
                "AccountingStoreFlags=job_comment",
            ]
        node = f"NodeHostname={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=400000"
        self._file(
            "slurm.conf",
            "ClusterName=l2i",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={ctld}",
            "AuthType=auth/munge",
            "CredType=cred/munge",
            f"AuthInfo=socket={self._munge()},cred_expire=10",  # a requeued job waits so long
            f"SlurmUser={user}",
            f"SlurmdUser={user}",
            f"PluginDir={self.plugins}",
            f"SlurmctldPidFile={self.folder}/slurmctld.pid",
            f"SlurmdPidFile={self.folder}/slurmd.%n.pid",
            f"StateSaveLocation={self.folder}/state",
            f"SlurmdSpoolDir={self.folder}/spool.%n",
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/none",
            "MpiDefault=none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "SlurmdParameters=config_overrides",
            "SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0",
            "PriorityType=priority/basic",
            "ReturnToService=2",
            f"MinJobAge={self.min_job_age}",
            "KillWait=5",
            "GresTypes=gpu",
            *storage,
            *(
                f"NodeName={name} {node} Port={port} {gres}"
                for (name, gres), port in zip(NODES.items(), of_nodes, strict=True)
            ),
            "PartitionName=cpu Nodes=cpu1 Default=YES MaxTime=2-00:00:00 State=UP",
            "PartitionName=gpu Nodes=gpu1,gpu2 MaxTime=2-00:00:00 State=UP",
        )

    def _file(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def until(holds: Callable[[], Any], seconds: float, *, raises: bool = True) -> Any:
    """What `holds` returns once that is true; an error after so many seconds."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            assert not raises, f"not within {seconds} s: {holds}"
            break
        time.sleep(0.2)
    return found


def _free_ports(n: int) -> list[int]:
    """Ports that nobody listens to."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
