"""Conditions of rows, which are keys such as ``of=l2i_att, threshold=0.1``, in words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from l2i.reporting.numbers import setting_text

_SETTING = re.compile(r", (?=\w+=)")
# Setting -> how it reads, with the value in it: as it stands, as a number to its last digit, or as
# what it is called in print.
FORMS = {
    "threshold": "τ = {value}",
    "reconstruction_weight": "α = {number}",
    "sparsity_weight": "β = {number}",
    "of": "of the components of {title}",
    "minus": "less {title}",
    "fold": "fold {value}",
    "taps": "from {title}",
    "from_epoch": "from epoch {value}",
    "excluded": "without {listed}",
    "snr_db": "at {value} dB",
    "shuffled": "shuffled: {listed}",
    "operator": "by {plain}",
    "measure": "of {plain}",
    "operators": "between {listed}",
}
WHOLE = {
    "classes=all": "all classes",
    "labels=observed": "labelled clips alone",
    "taps=input": "from the input",
    "kind=noise": "with white noise",
    "kind=class": "with a clip of another class",
    "shuffled=nothing": "intact",
    "targets=shuffled": "trained on shuffled targets",
    "activations=exchanged": "activations of another clip",
}


def settings_of(condition: str) -> list[str]:
    """The settings of a row's condition: `of=l2i_att` and `threshold=0.1` of both together."""
    return [each for each in _SETTING.split(condition) if each]


def values_in(condition: str) -> dict[str, str]:
    """The value of each setting of a condition."""
    return dict(each.split("=", 1) for each in settings_of(condition))


def in_words(condition: str, titles: Mapping[str, str]) -> str:
    """A condition as people read it; `titles` are what systems are called in print."""
    return ", ".join(_in_words(each, titles) for each in settings_of(condition))


def _in_words(setting: str, titles: Mapping[str, str]) -> str:
    if setting in WHOLE:
        return WHOLE[setting]
    name, _, value = setting.partition("=")
    form = FORMS.get(name, f"{name.replace('_', ' ')} {{plain}}")
    plain = value.replace("_", " ")
    return form.format(
        value=value,
        plain=plain,
        title=titles.get(value, value),
        listed=_listed(plain),
        number=setting_text(float(value), 1) if "{number}" in form else "",
    )


def _listed(value: str) -> str:
    return ", ".join(value.split("+"))
