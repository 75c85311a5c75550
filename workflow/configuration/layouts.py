"""What the layout of a corpus says of itself: how it is split, labelled and pinned."""

from __future__ import annotations

from typing import Any, NamedTuple

from configuration.modules import LIBRARY, read_module


class Layout(NamedTuple):
    """The literals of a module of l2i.datasets, which says what they mean."""

    split: str
    labelling: str
    classes: list[str] | int | None
    validation: bool
    files: list[str]
    figure: str | None
    options: dict[str, tuple[list[str] | str, str]]
    needs: list[str]
    pins: dict[str, tuple[str, str]]

    @property
    def in_folds(self) -> bool:
        """Whether its corpora come in folds, or with one split of their own."""
        return self.split == "folds"

    @property
    def multi_label(self) -> bool:
        """Whether any number of classes may be right in a clip, or one."""
        return self.labelling == "multiple"

    @property
    def n_classes(self) -> int | None:
        """How many classes there are, where all corpora of the layout have the same."""
        return len(self.classes) if isinstance(self.classes, list) else self.classes


WORDS = {"SPLIT": ("folds", "official"), "LABELLING": ("single", "multiple")}
LITERALS = tuple(name.upper() for name in Layout._fields)


def layout_of(name: str) -> Layout:
    """What the layout `name` says of itself.

    Raises
    ------
    ValueError
        In one line, if there is no such layout, or its module does not say all.
    """
    said = read_module("datasets", name, literals=LITERALS, functions=("index_corpus",))
    layout = Layout(*(said[literal] for literal in LITERALS))
    place = f"workflow/l2i/datasets/{name}.py"
    for literal, words in WORDS.items():
        if said[literal] not in words:
            raise ValueError(f"{literal} of {place} is {said[literal]!r}, not {' or '.join(words)}")
    if layout.figure is not None and not isinstance(layout.figure, str):
        raise ValueError(f"FIGURE of {place} is {layout.figure!r}, but must be a text or None")
    return layout


def layout_names() -> list[str]:
    """Modules of l2i.datasets that describe a layout, in the order of their names."""
    return sorted(
        path.stem
        for path in (LIBRARY / "datasets").glob("*.py")
        if "def index_corpus(" in path.read_text(encoding="utf-8")
    )


def layout_of_dataset(config: dict[str, Any], dataset: str) -> Layout:
    """The layout of a data set of the configuration."""
    return layout_of(config["datasets"][dataset]["corpus"]["layout"])


def told_to_layout(config: dict[str, Any], dataset: str) -> dict[str, Any]:
    """What the reader of a corpus is told: layout, options, and what it needs besides."""
    entry = config["datasets"][dataset]
    needs = layout_of_dataset(config, dataset).needs
    return entry["corpus"] | {key: entry.get(key, config.get(key)) for key in needs}
