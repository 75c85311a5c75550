"""What GitHub reads: .github/ and CITATION.cff."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet

import l2i
from helpers.project import PROJECT

GITHUB = PROJECT / ".github"
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
CITATION = yaml.safe_load((PROJECT / "CITATION.cff").read_text())
# Of the Citation File Format 1.2.0: top keys, those of a reference, and of a person.
OF_CITATION = {
    *("cff-version", "message", "title", "type", "version", "date-released", "license", "authors"),
    *("abstract", "doi", "identifiers", "keywords", "references", "preferred-citation"),
    *("repository", "repository-code", "url", "contact", "commit", "license-url"),
}
OF_REFERENCE = {"type", "scope", "title", "year", "authors", "identifiers", "doi", "journal"}
OF_PERSON = {"given-names", "family-names", "name", "orcid", "affiliation"}


def workflows():
    return sorted((GITHUB / "workflows").glob("*.yml"))


def read(path):
    # YAML 1.1 takes the key `on` for a truth value.
    told = yaml.safe_load(path.read_text())
    return {"on" if key is True else key: value for key, value in told.items()}


def test_all_of_it_can_be_read():
    found = [path for path in GITHUB.rglob("*.yml") if yaml.safe_load(path.read_text())]
    assert len(found) >= 6 and workflows()


class TestCitation:
    def test_it_says_nothing_but_what_the_format_knows(self):
        assert CITATION.keys() <= OF_CITATION
        assert CITATION.keys() >= {"cff-version", "message", "title", "authors", "version"}
        assert all(each.keys() <= OF_REFERENCE for each in CITATION["references"])
        people = [*CITATION["authors"], *(p for r in CITATION["references"] for p in r["authors"])]
        assert people and all(each and each.keys() <= OF_PERSON for each in people)

    def test_its_version_is_that_of_the_library(self):
        assert CITATION["version"] == l2i.__version__

    def test_there_is_a_place_for_a_doi_which_is_none_until_it_is_filled(self):
        text = (PROJECT / "CITATION.cff").read_text()
        assert re.search(r"^(# )?doi: 10\.\d{4,9}/\S+$", text, re.MULTILINE)
        assert "0000000" not in CITATION.get("doi", "")


@pytest.mark.parametrize("path", workflows(), ids=lambda path: path.stem)
class TestWorkflows:
    def test_it_may_only_read_and_sees_no_secret(self, path):
        assert read(path)["permissions"] == {"contents": "read"}
        assert all("permissions" not in job for job in read(path)["jobs"].values())
        assert "secrets." not in path.read_text()
        assert "pull_request_target" not in read(path)["on"]

    def test_every_job_ends_and_a_newer_commit_stops_an_older_run(self, path):
        assert all(job["timeout-minutes"] <= 120 for job in read(path)["jobs"].values())
        assert "cancel-in-progress" in read(path)["concurrency"]

    def test_actions_are_of_github_itself_pinned_and_leave_no_token_behind(self, path):
        steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
        used = [step["uses"] for step in steps if "uses" in step]
        assert used and all(re.fullmatch(r"actions/[\w-]+@(v\d+|[0-9a-f]{40})", u) for u in used)
        checkouts = [step for step in steps if step.get("uses", "").startswith("actions/checkout")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)

    def test_nothing_that_others_write_gets_into_a_command(self, path):
        steps = [step for job in read(path)["jobs"].values() for step in job["steps"]]
        assert not any("${{" in step.get("run", "") for step in steps)

    def test_what_it_calls_is_there(self, path):
        targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
        for job in read(path)["jobs"].values():
            for command in (step["run"] for step in job["steps"] if "run" in step):
                program, *words = command.split()
                if program == "make":
                    assert words[0] in targets
                elif program != ".venv/bin/python":
                    assert os.access(PROJECT / program, os.X_OK), program
                for word in words:
                    assert not word.startswith("tests/") or (PROJECT / word).exists(), word


def test_pull_requests_run_what_must_pass_on_every_python_that_is_supported():
    jobs = read(GITHUB / "workflows/ci.yml")["jobs"]
    assert "pull_request" in read(GITHUB / "workflows/ci.yml")["on"]
    steps = [step for job in jobs.values() for step in job["steps"]]
    assert {".ci/run", "make audit"} <= {step.get("run") for step in steps}
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    stated = SpecifierSet(project["requires-python"])
    tried = {str(each["python"]) for each in jobs["platforms"]["strategy"]["matrix"]["include"]}
    tried |= {"3.11"}
    assert tried == {f"3.{n}" for n in range(20) if f"3.{n}" in stated}


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_something_each_thing_under_a_name_of_its_own(path):
    form = yaml.safe_load(path.read_text())
    if path.stem == "config":
        assert form.keys() <= {"blank_issues_enabled", "contact_links"}
        return
    assert form.keys() <= {"name", "description", "title", "labels", "assignees", "body"}
    asked = [each for each in form["body"] if each["type"] != "markdown"]
    ids = [each["id"] for each in asked]
    assert asked and len({*ids}) == len(ids)
    assert all(each["attributes"].get("label") for each in asked)
    assert {each["type"] for each in form["body"]} <= {
        "markdown",
        "input",
        "textarea",
        "checkboxes",
    }


def test_links_and_files_that_these_pages_name_are_there():
    for path in [*GITHUB.glob("*.md"), *(GITHUB / "ISSUE_TEMPLATE").glob("*.yml")]:
        text = path.read_text()
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert (path.parent / link).resolve().exists(), (path.name, link)
        for named in re.findall(r"\b(?:docs|workflow)/[\w./-]+\.\w+", text):
            assert Path(PROJECT, named).exists(), (path.name, named)
