"""Crates held against their profile by roc-validator, without asking the network for anything.

The validator fetches from w3id.org what the words of RO-Crate mean. Those that our crates use are
spelled out here in the place of that list, so it needs no network, and no crate can have it fetch
anything.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from rich.console import Console

from l2i.checks import InputError

PROFILE = "provenance-run-crate-0.5"
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
OF_SCHEMA_ORG = re.findall(
    r"\w+",
    """
    about actionStatus additionalType agent author ComputerLanguage contentSize
    ControlAction CreateAction CreativeWork creator Dataset dateCreated datePublished
    description encodingFormat endTime exampleOfWork hasPart HowTo HowToStep identifier
    instrument license mainEntity mentions name object Organization OrganizeAction
    position programmingLanguage propertyID PropertyValue publisher result sdPublisher
    SoftwareApplication softwareRequirements SoftwareSourceCode softwareVersion
    startTime step unitCode url value version workExample
    """,
)
BIOSCHEMAS = "https://bioschemas.org/"
OTHERS = {
    "File": "http://schema.org/MediaObject",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
    "ComputationalWorkflow": f"{BIOSCHEMAS}ComputationalWorkflow",
    "FormalParameter": f"{BIOSCHEMAS}FormalParameter",
    "input": f"{BIOSCHEMAS}ComputationalWorkflow#input",
    "output": f"{BIOSCHEMAS}ComputationalWorkflow#output",
}
NOT_LOOKED_UP = "availability could not be verified"  # of what is not packed, as is meant
WORDS = {name: f"http://schema.org/{name}" for name in OF_SCHEMA_ORG} | OTHERS


class Validation(NamedTuple):
    """What a validator found, by how much it matters."""

    profile: str
    required: list[str]
    recommended: list[str]

    def show(self, console: Console) -> None:
        """For people."""
        passed = "passed" if not self.required else "failed"
        console.print(
            f"{self.profile}: {passed}, {len(self.required)} required and "
            f"{len(self.recommended)} recommended checks not met",
            markup=False,
        )
        for line in self.required:
            console.print(f"  required: {line}", markup=False)
        for line in self.recommended:
            console.print(f"  recommended: {line}", markup=False)


class Offline(BaseAdapter):
    """Answers in the place of the network: one document is known, and all else is not there."""

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """The document, or 404."""
        response, known = Response(), request.url == CONTEXT
        response.status_code = 200 if known else 404
        response.raw = io.BytesIO(json.dumps({"@context": WORDS} if known else {}).encode())
        response.headers["Content-Type"] = "application/ld+json"
        response.url, response.request = str(request.url), request
        return response

    def close(self) -> None:
        """Nothing is open."""


def validate(crate: str | Path) -> Validation:
    """Hold a crate against the profile that it says to follow.

    Raises
    ------
    InputError
        The validator is not installed.
    """
    try:
        from rocrate_validator import models, services
        from rocrate_validator.utils.http import HttpRequester
    except ImportError:
        raise InputError(
            "roc-validator is not installed: make env installs it, since envs/dev.txt names it"
        ) from None
    settings = services.ValidationSettings.parse(
        {
            "rocrate_uri": str(crate),
            "profile_identifier": PROFILE,
            "requirement_severity": models.Severity.RECOMMENDED,
            "no_cache": True,
            "skip_availability_check": True,
        }
    )
    requester = HttpRequester()
    requester.session.mount("http://", Offline())
    requester.session.mount("https://", Offline())
    with _silence():
        issues = services.validate(settings).get_issues()
    found = [issue for issue in issues if NOT_LOOKED_UP not in str(issue.message)]
    return Validation(
        PROFILE,
        sorted({_line(issue) for issue in found if issue.severity >= models.Severity.REQUIRED}),
        sorted({_line(issue) for issue in found if issue.severity < models.Severity.REQUIRED}),
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Without what the validator logs: that addresses are not looked up, which is meant so."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _line(issue: Any) -> str:
    about = f"{issue.violatingEntity}: " if issue.violatingEntity else ""
    return f"{about}{issue.message}"
