"""Explanations in print: as text for a terminal, and as HTML with players for a notebook."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from l2i.interpretation.explanation import Explanation

N_CLASSES = 5  # most probable ones that are shown
N_COMPONENTS = 5  # most relevant ones that are played
LONGEST_PLAYED = 60  # seconds: a notebook keeps all that it plays


def as_text(explanation: Explanation) -> str:
    """Class, probabilities and relevant components, a line each."""
    lines = [f"{explanation.name}: {_decision(explanation)}", *explanation.notes]
    width = max(map(len, explanation.classes))
    lines += [f"  {name:{width}}  {p:.3f}" for name, p in most_probable(explanation.probabilities)]
    lines.append(f"components that are relevant to {explanation.target}:")
    lines += [f"  {each.number:4d}  {each.relevance:.2f}" for each in explanation.relevant]
    if not explanation.relevant:
        lines.append(f"  none exceeds {explanation.model.threshold:g}")
    return "\n".join(lines)


def as_html(explanation: Explanation) -> str:
    """The same with players, the most relevant components first."""
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{p:.3f}</td></tr>"
        for name, p in most_probable(explanation.probabilities)
    )
    head = f"<p><b>{escape(explanation.name)}</b>: {escape(_decision(explanation))}</p>"
    return f"{head}<table>{rows}</table>{_players(explanation)}"


def most_probable(probabilities: dict[str, float], n: int = N_CLASSES) -> list[tuple[str, float]]:
    """The classes of the largest probabilities, falling."""
    return sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))[:n]


def _decision(explanation: Explanation) -> str:
    decided = ", ".join(explanation.decided) or "no class"
    told = f"decided for {decided}"
    return (
        told
        if explanation.decided == [explanation.target]
        else (f"{told}; explained is {explanation.target}")
    )


def _players(explanation: Explanation) -> str:
    seconds = len(explanation.waveform) / explanation.sample_rate
    if seconds > LONGEST_PLAYED:
        return (
            f"<p>{seconds:.0f} s are too long for players in a notebook: "
            '<code>explanation.save("page")</code> makes a page of them.</p>'
        )
    sounds = {
        "input": explanation.waveform,
        f"interpretation: what speaks for {explanation.target}": explanation.interpretation,
        "remainder: what is left without it": explanation.remainder,
    }
    for each in explanation.relevant[:N_COMPONENTS]:
        sounds[f"component {each.number}, relevance {each.relevance:.2f}"] = each.waveform
    return "".join(_player(name, x, explanation.sample_rate) for name, x in sounds.items())


def _player(name: str, x: np.ndarray, sample_rate: int) -> str:
    if not x.any():
        return f"<p>{escape(name)}: silence</p>"
    import soundfile

    file = io.BytesIO()
    # 16 bits cannot hold more than full scale, which a part of a sound may exceed a little.
    soundfile.write(file, np.clip(x, -1, 1), sample_rate, format="FLAC", subtype="PCM_16")
    data = base64.b64encode(file.getvalue()).decode()
    return (
        f"<p>{escape(name)}<br><audio controls preload='none' "
        f"src='data:audio/flac;base64,{data}'></audio></p>"
    )
