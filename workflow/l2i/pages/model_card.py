"""The card of a model in Markdown, of the facts that its file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from l2i.names import CLASSIFIER
from l2i.reporting.pipe_tables import escaped, pipe_table
from l2i.reporting.quantities import quantity


def model_card(card: Mapping[str, Any], file: str) -> str:
    """Markdown that says what a model is, what it scores and what made it.

    Parameters
    ----------
    card : mapping
        Plain values, as `l2i export` stores them with a model.
    file : str
        Name of the model's file.
    """
    return "\n".join([*_heading(card, file), *_scores(card), *_said(card), *_made(card)])


def _heading(card: Mapping[str, Any], file: str) -> Iterator[str]:
    clips = card["clips"]
    yield f"# {escaped(card['system'])} on {escaped(card['dataset'])}, fold {card['fold']}\n"
    yield (
        f"`{file}` holds a classifier of {len(card['classes'])} classes "
        f"({', '.join(map(escaped, card['classes']))}) and the interpreter of its decisions, "
        f"{card['n_parameters']:,} parameters. Both learned from {clips['train']} clips. All that "
        f"is said here, the file says too.\n"
    )


def _scores(card: Mapping[str, Any]) -> Iterator[str]:
    if not card["measured"]:
        return
    clips, confidence = card["clips"], card["measured"][0]["confidence"]
    yield "## What it scores\n"
    yield (
        f"On the {clips['test']} clips of fold {card['fold']}, of {clips['test_recordings']} "
        "recordings, which neither part has learned from. In brackets intervals of "
        f"{confidence:.0%} from a bootstrap over recordings.\n"
    )
    yield pipe_table([_row(each) for each in card["measured"]]) + "\n"


def _row(number: Mapping[str, Any]) -> dict[str, str]:
    measure = quantity(number["metric"])
    digits = measure.digits
    interval = [number.get("low"), number.get("high")]
    ends = "" if None in interval else f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"
    return {
        "of": "the classifier" if number["system"] == CLASSIFIER else "the interpreter",
        "what": measure.heading,
        "setting": str(number.get("condition", "")).replace("=", " ").replace(";", ", "),
        "value": f"{number['mean']:.{digits}f}{ends}",
    }


def _said(card: Mapping[str, Any]) -> Iterator[str]:
    for heading, text in card["about"]:
        yield f"## {heading}\n"
        yield (text.strip() if isinstance(text, str) else "\n".join(f"- {t}" for t in text)) + "\n"


def _made(card: Mapping[str, Any]) -> Iterator[str]:
    made, stored = card["made_by"], card["stored_as"]
    dirty = ", with changes that were not committed" if made["uncommitted_changes"] else ""
    yield "## What made it\n"
    lines = {
        "code": f"commit `{made['commit']}`{dirty}",
        "finished": made["finished_at"],
        "computed in": f"{made['precision']}, PyTorch {made['torch']}",
        "sha256 of the interpreter": f"`{made['interpreter_sha256']}`",
        "sha256 of the classifier": f"`{made['classifier_sha256']}`",
        "sha256 of the training clips' hashes": f"`{made['train_clips_sha256']}`",
        "sha256 of the listing of clips": f"`{card['clips']['listing_sha256']}`",
        "sha256 of the settings, of the code": (
            f"`{made['settings_sha256']}`, `{made['code_sha256']}`"
        ),
        "stored as": stored["precision"],
    }
    yield "\n".join(f"- {name}: {text}" for name, text in lines.items())
    if "n_clips" in stored:
        yield (
            f"- rounded to {stored['precision']}: {stored['n_same_class']} of {stored['n_clips']} "
            "test clips are given the same class; no probability changes by more than "
            f"{stored['largest_change_of_probability']:.2g}, no relevance by more than "
            f"{stored['largest_change_of_relevance']:.2g}; "
            f"{stored['share_of_components_selected_otherwise']:.2%} of the components are "
            "selected otherwise"
        )
    yield ""
