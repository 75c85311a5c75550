"""What explains the decision on one sound: classes, relevant components, and their sounds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Explanation:
    """The decision on one sound, and why."""
