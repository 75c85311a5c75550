"""What a crate says of itself: Provenance Run Crate 0.5, over RO-Crate 1.1.

All is taken from the records of results. A rule is a tool, the script that it runs; a job is an
action of that tool, which took files and values (`object`) and gave files (`result`). Values know
by `exampleOfWork` which parameter of the tool they were given to.

What is not packed is described all the same, under an address that says that it is of this run
(`arcp://uuid,.../results/...`) and leads nowhere.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from l2i.checks import InputError
from l2i.provenance.conditions import environment_of, usage_of, version_of
from l2i.provenance.external import External
from l2i.provenance.fingerprints import canonical_json, settings_fingerprint
from l2i.provenance.jobs import Job, made_by
from l2i.provenance.linked import Graph, Ref, each_once, media_type, slug, type_of_value
from l2i.provenance.packing import README, Manifest
from l2i.provenance.records import record_path
from l2i.provenance.runs import NOTES, Run

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
# What these profiles add to the words of RO-Crate 1.1, spelled out so that reading a crate takes
# no more than that one list.
WFRUN = "https://w3id.org/ro/terms/workflow-run#"
TERMS = {
    name: f"{WFRUN}{name}"
    for name in (
        *("ParameterConnection", "connection", "sourceParameter", "targetParameter"),
        *("environment", "resourceUsage", "sha256"),
    )
} | {"buildInstructions": "https://codemeta.github.io/terms/buildInstructions"}
SHOWN = ("tables", "figures")  # stages that people open, whatever reads them
COMPLETED = "http://schema.org/CompletedActionStatus"
LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
ENGINE, CONFIGURATION = "#engine", "#parameter-configuration"
WORKFLOW, LOCK, ENGINE_SETTINGS = "Snakefile", "envs/compute.txt", "profiles/default/config.yaml"


def describe(
    run: Run,
    jobs: Sequence[Job],
    manifest: Manifest,
    cited: Mapping[str, Any],
    about: str,
    publishers: Mapping[str, str],
) -> dict[str, Any]:
    """The metadata of a crate: JSON-LD, flattened, in the order of identifiers."""
    description = _Description(run, jobs, manifest, cited, publishers)
    description.add_project()
    description.add_files(about)
    for job in jobs:
        description.add_job(job)
    description.add_run()
    return description.as_json()


class _Description(Graph):
    """What a crate says of itself, put together job by job."""

    def __init__(
        self,
        run: Run,
        jobs: Sequence[Job],
        manifest: Manifest,
        cited: Mapping[str, Any],
        publishers: Mapping[str, str],
    ) -> None:
        super().__init__()
        self.run, self.jobs, self.manifest, self.cited = run, jobs, manifest, cited
        self.names = manifest.names
        self.made = made_by(jobs)
        self.parts: list[Ref] = []  # of the root, the data entities
        self.actions: list[Ref] = []
        self.controls: list[Ref] = []
        self.organization: Ref = {}
        self.license: Ref = {}
        said = settings_fingerprint(
            sorted(record["output"]["sha256"] for record in self.made.values())
        )
        # Of all that is of this run; the same results have the same.
        self.address = f"arcp://uuid,{uuid.uuid5(uuid.NAMESPACE_URL, said)}"
        self.external = External(self, jobs, publishers, self.address)

    # ------------------------------------------------------------ project

    def add_project(self) -> None:
        """Who made it, under which licence; the workflow, its engine and language."""
        name = self.cited["authors"][0]["name"]
        self.organization = self.add(f"#{slug(name)}", "Organization", name=name)
        spdx = self.cited["license"]
        self.license = self.add(
            f"https://spdx.org/licenses/{spdx}", "CreativeWork", name=spdx, identifier=spdx
        )
        # Jobs that conda gives an environment have no Snakemake in it.
        versions = (job.record["software"].get("snakemake") for job in self.jobs)
        version = next(filter(None, versions), "unknown")
        self.add(
            LANGUAGE,
            "ComputerLanguage",
            name="Snakemake",
            identifier={"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
            url={"@id": "https://snakemake.github.io"},
            version=version,
        )
        self.add(
            ENGINE,
            "SoftwareApplication",
            name="Snakemake",
            url="https://snakemake.github.io",
            softwareVersion=version,
        )

    # ------------------------------------------------------------ files

    def add_files(self, about: str) -> None:
        """All that is packed, as files; the first is about the crate."""
        self.parts.append(
            self.add(
                README,
                "File",
                name=README,
                about={"@id": "./"},
                sha256=hashlib.sha256(about.encode()).hexdigest(),
                contentSize=str(len(about.encode())),
                encodingFormat=media_type(README),
            )
        )
        scripts = {_script(job.rule) for job in self.jobs}
        for file in self.manifest.files:
            kind: str | list[str] = "File"
            if file.name in scripts:
                kind = ["File", "SoftwareSourceCode"]
            elif file.name == WORKFLOW:
                kind = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
            ref = self.add(
                quote(file.name),
                kind,
                name=file.name,
                sha256=file.sha256,
                contentSize=str(file.size_bytes),
                encodingFormat=media_type(file.name),
            )
            self.parts.append(ref)
        self.add(CONFIGURATION, "FormalParameter", name="configuration", additionalType="File")
        notes = quote(str(self.run.root / NOTES / "configuration.json"))
        if notes in self.entities:
            self.extend(notes, "exampleOfWork", [{"@id": CONFIGURATION}])
        if LOCK in self.entities:
            self.entities[LOCK]["conformsTo"] = self.add(
                "https://pip.pypa.io/en/stable/reference/requirements-file-format/",
                "CreativeWork",
                name="Requirements file format of pip",
            )

    def file(self, described: Mapping[str, Any]) -> Ref:
        """A result or input, packed or not."""
        path = described["path"]
        if path in self.names:
            return {"@id": quote(path)}
        folder = described["kind"] == "folder"
        identifier = f"{self.address}/{quote(path)}{'/' if folder else ''}"
        if identifier in self.entities:
            return {"@id": identifier}
        inside = [name for name in sorted(self.names) if folder and name.startswith(f"{path}/")]
        about = "of which the files are packed" if inside else "not packed"
        if folder:
            about = f"a folder, {about}; its sha256 is over names and contents of its files, sorted"
        ref = self.add(
            identifier,
            "Dataset" if folder else "File",
            name=path,
            description=about,
            sha256=described["sha256"],
            contentSize=str(described["size_bytes"]),
            encodingFormat=None if folder else media_type(path),
            hasPart=[{"@id": quote(name)} for name in inside],
        )
        self.parts.append(ref)
        return ref

    # ------------------------------------------------------------ jobs

    def add_job(self, job: Job) -> None:
        """The action that a job is, its tool, and what the engine did to have it done."""
        record, tool = job.record, self._tool(job)
        step = f"#step-{job.rule}"
        values = [
            *(self._value(job, name, value) for name, value in record["settings"].items()),
            *(self._value(job, name, value) for name, value in record["wildcards"].items()),
        ]
        for output in job.outputs:
            self._connect(job, "output", output, tool)
        for used in job.inputs:
            self._connect(job, "input", used, tool)
        action = self.add(
            f"#job-{job.key}",
            "CreateAction",
            name=job.title,
            description=f"One run of the rule {job.rule}",
            instrument=tool,
            agent=self.organization,
            actionStatus=COMPLETED,
            startTime=record["started_at"],
            endTime=record["finished_at"],
            object=each_once([*map(self.file, job.inputs), *self.external.of(job), *values]),
            result=[self.file(output) for output in job.outputs],
            environment=self._environment(job),
            resourceUsage=self._usage(job),
        )
        self.actions.append(action)
        self.controls.append(
            self.add(
                f"#control-{job.key}",
                "ControlAction",
                name=f"orchestrate {job.title}",
                instrument={"@id": step},
                object=action,
                actionStatus=COMPLETED,
            )
        )
        if job.log in self.names:
            self.extend(quote(job.log), "about", [action])
        for output in job.outputs:
            beside = quote(record_path(output["path"]).as_posix())
            self.extend(beside, "about", [self.file(output), action])

    def _tool(self, job: Job) -> Ref:
        """The script of a rule, and the step of the workflow that calls it."""
        script, step = _script(job.rule), f"#step-{job.rule}"
        if script not in self.entities:
            raise InputError(
                f"the rule {job.rule} made results, but {script} is not there: pack the run in the "
                "project that made it"
            )
        if step in self.entities:
            return {"@id": script}
        record = job.record
        self.entities[script] |= {
            "name": job.rule,
            "description": f"What a job of the rule {job.rule} runs",
            "url": script,
            "version": version_of(record),
            "programmingLanguage": self.add(
                "https://www.python.org/downloads/",
                "ComputerLanguage",
                name="Python",
                url="https://www.python.org",
            ),
            "softwareRequirements": [self._package(*pin) for pin in record["pins"].items()],
            "input": [],
            "output": [],
        }
        self.add(
            step,
            "HowToStep",
            name=job.rule,
            position=str(len(self.of_type("HowToStep")) + 1),
            workExample={"@id": script},
            buildInstructions={"@id": LOCK} if LOCK in self.entities else None,
        )
        return {"@id": script}

    def _package(self, name: str, version: str) -> Ref:
        address = f"https://pypi.org/project/{name}/{version}/"
        return self.add(
            address, "SoftwareApplication", name=name, softwareVersion=version, url=address
        )

    def _connect(self, job: Job, side: str, described: Mapping[str, Any], tool: Ref) -> None:
        """Have a file know the parameter of the tool that it went through, and its parameter it."""
        parameter = self._parameter(job.rule, side, described["name"], _type_of(described["kind"]))
        self.extend(tool["@id"], side, [parameter])
        self.extend(self.file(described)["@id"], "exampleOfWork", [parameter])
        maker = self.made.get(described["path"])
        if side == "input" and maker is not None:
            source = self._parameter(
                maker["rule"], "output", maker["output"]["name"], _type_of(described["kind"])
            )
            self._connection(job.rule, source, parameter)

    def _stage(self, path: str) -> str:
        return PurePosixPath(path).relative_to(self.run.root).parts[0]

    def _parameter(self, rule: str, side: str, name: str, kind: str) -> Ref:
        identifier = f"#parameter-{rule}-{side}-{slug(name)}"
        return self.add(identifier, "FormalParameter", name=name, additionalType=kind)

    def _connection(self, rule: str, source: Ref, target: Ref) -> None:
        names = "-".join(each["@id"].removeprefix("#parameter-") for each in (source, target))
        ref = self.add(
            f"#connection-{names}",
            "ParameterConnection",
            sourceParameter=source,
            targetParameter=target,
        )
        self.extend(f"#step-{rule}", "connection", [ref])

    def _value(self, job: Job, name: str, value: Any) -> Ref:
        """A setting or wildcard as one value; what is not simple, as JSON."""
        parameter = self._parameter(job.rule, "value", name, type_of_value(value))
        self.extend(_script(job.rule), "input", [parameter])
        self._connection(job.rule, {"@id": CONFIGURATION}, parameter)
        simple = isinstance(value, (str, int, float, bool))
        text = value if simple else canonical_json(value)
        known = settings_fingerprint([name, value])[:16]
        identifier = f"#value-{job.rule}-{slug(name)}-{known}"
        return self.add(
            identifier,
            "PropertyValue",
            name=name,
            value=text if text != "" else "(empty)",
            exampleOfWork=parameter,
        )

    def _environment(self, job: Job) -> list[Ref]:
        """Where a job ran, and on what; jobs share what they have in common."""
        return [
            self.add(
                f"#environment-{settings_fingerprint([name, value])[:16]}",
                "PropertyValue",
                name=name,
                value=value,
            )
            for name, value in environment_of(job.record).items()
        ]

    def _usage(self, job: Job) -> list[Ref]:
        """What a job took."""
        return [
            self.add(
                f"#usage-{job.key}-{identifier}",
                "PropertyValue",
                propertyID=identifier,
                name=usage.name,
                value=usage.value,
                unitCode=usage.unit,
            )
            for identifier, usage in usage_of(job).items()
        ]

    # ------------------------------------------------------------ the run

    def add_run(self) -> None:
        """The workflow as a whole, what it took and gave, and the root of the crate."""
        records = [job.record for job in self.jobs]
        read = {used["path"] for job in self.jobs for used in job.inputs}
        # Pages of where tables come from read these, which are results of the run all the same.
        last = [
            output
            for job in self.jobs
            for output in job.outputs
            if output["path"] not in read or self._stage(output["path"]) in SHOWN
        ]
        started = min(record["started_at"] for record in records)
        ended = max(record["finished_at"] for record in records)
        configured = quote(str(self.run.root / NOTES / "configuration.json"))
        settings = [{"@id": configured}] if configured in self.entities else []
        steps = self.of_type("HowToStep")
        tools = [self.entities[step["@id"]]["workExample"] for step in steps]
        self.entities[WORKFLOW] |= {
            "name": self.cited["title"],
            "description": "The workflow, from audio to tables and figures",
            "url": WORKFLOW,
            "version": version_of(records[0]),
            "license": self.license,
            "author": self.organization,
            "creator": self.organization,
            "sdPublisher": self.organization,
            "dateCreated": str(self.cited["date-released"]),
            "conformsTo": self.add(
                "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE",
                "CreativeWork",
                name="Bioschemas ComputationalWorkflow",
                version="1.0",
            ),
            "programmingLanguage": {"@id": LANGUAGE},
            "hasPart": tools,
            "step": steps,
            "input": {"@id": CONFIGURATION},
            "output": each_once(
                self._parameter(job.rule, "output", output["name"], _type_of(output["kind"]))
                for job in self.jobs
                for output in job.outputs
                if output in last
            ),
        }
        whole = self.add(
            "#run",
            "CreateAction",
            name=f"Run {self.run.root.name}",
            description=f"{len(self.jobs)} jobs, as their records tell",
            instrument={"@id": WORKFLOW},
            agent=self.organization,
            actionStatus=COMPLETED,
            startTime=started,
            endTime=ended,
            object=each_once([*self.external.refs, *settings]),
            result=[self.file(output) for output in last],
            environment=each_once(
                ref
                for action in self.actions
                for ref in self.entities[action["@id"]]["environment"]
            ),
        )
        if ENGINE_SETTINGS in self.entities:
            self.extend(ENGINE_SETTINGS, "about", [{"@id": ENGINE}])
        self.add(
            "#organize",
            "OrganizeAction",
            name="Snakemake runs the jobs",
            instrument={"@id": ENGINE},
            agent=self.organization,
            object=self.controls,
            result=whole,
            actionStatus=COMPLETED,
            startTime=started,
            endTime=ended,
        )
        profiles = [
            self.add(address, "CreativeWork", name=name, version=version)
            for address, (name, version) in PROFILES.items()
        ]
        self.root = {
            "name": f"{self.cited['title']}: run {self.run.root.name}",
            "description": (
                "Tables and figures with the scores that they are made of, and how each came "
                f"about: {len(self.jobs)} jobs, their inputs, settings, code, packages and machines"
            ),
            "datePublished": ended,
            "license": self.license,
            "author": self.organization,
            "publisher": self.organization,
            "conformsTo": profiles,
            "mainEntity": {"@id": WORKFLOW},
            "mentions": [whole, {"@id": "#organize"}, *self.actions],
            "hasPart": each_once([*self.parts, *self.external.refs]),
        }

    def as_json(self) -> dict[str, Any]:
        """The whole as a document."""
        *_, of_workflows = PROFILES
        return self.document(self.root, terms=TERMS, conforms_to=[{"@id": of_workflows}])


# ---------------------------------------------------------------- words


def _script(rule: str) -> str:
    return f"workflow/scripts/{rule}.py"


def _type_of(kind: str) -> str:
    return {"file": "File", "folder": "Dataset"}[kind]
