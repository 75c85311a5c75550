"""l2i.datasets.fold_draw: which source goes into which fold."""

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from l2i.datasets.fold_draw import draw_folds

CLASSES = st.lists(st.lists(st.integers(1, 40), min_size=5, max_size=12), min_size=1, max_size=4)


def sources_of(classes):
    """Sources of one class each, with so many clips."""
    return {
        f"{c}-{i}": {f"class {c}": n}
        for c, sizes in enumerate(classes)
        for i, n in enumerate(sizes)
    }


def clips_of(drawn, sources):
    """Clips of each class in each fold."""
    found = Counter()
    for source, fold in drawn.items():
        found.update({(name, fold): n for name, n in sources[source].items()})
    return found


@example(classes=[[1, 1, 1, 1, 1], [1, 1, 1, 1, 4]], n_folds=4, seed=0)
@given(CLASSES, st.integers(2, 5), st.integers(0, 9))
def test_each_source_has_a_fold_and_each_fold_every_class(classes, n_folds, seed):
    sources = sources_of(classes)
    drawn = draw_folds(sources, n_folds, seed)
    assert drawn.keys() == sources.keys()
    cells = {(f"class {c}", f) for c in range(len(classes)) for f in range(1, n_folds + 1)}
    assert clips_of(drawn, sources).keys() == cells


@given(CLASSES, st.integers(2, 5), st.integers(0, 9))
def test_a_class_is_spread_as_evenly_as_its_longest_source_allows(classes, n_folds, seed):
    sources = sources_of(classes)
    found = clips_of(draw_folds(sources, n_folds, seed), sources)
    for c, sizes in enumerate(classes):
        of_class = [found[f"class {c}", f] for f in range(1, n_folds + 1)]
        assert max(of_class) <= sum(sizes) // n_folds + max(sizes)


@given(st.integers(5, 60), st.integers(1, 9), st.integers(2, 5))
def test_sources_of_one_length_differ_by_one_at_most(n_sources, n_clips, n_folds):
    drawn = draw_folds(sources_of([[n_clips] * n_sources]), n_folds, 0)
    counts = Counter(drawn.values())
    assert max(counts.values()) - min(counts.values()) <= 1


def test_the_draw_depends_on_seed_and_names_and_on_no_order():
    sources = sources_of([[1] * 30])
    drawn = draw_folds(sources, 5, 0)
    assert draw_folds(dict(reversed(sources.items())), 5, 0) == drawn
    assert draw_folds(sources, 5, 1) != drawn


def test_a_new_source_moves_few_others():
    n_moved = []
    for i in range(20):
        sources = sources_of([[1] * (100 + i)])
        before = draw_folds(sources, 5, 0)
        after = draw_folds(sources | {f"new {i}": {"class 0": 1}}, 5, 0)
        n_moved.append(sum(before[source] != after[source] for source in before))
    assert sum(n_moved) / len(n_moved) < 4  # 2 of 100; dealt round by round it would be 22


def test_a_source_of_several_classes_is_in_one_fold():
    both = {f"day {i}": {"cat": 3, "dog": 1 + i % 2} for i in range(10)}
    found = clips_of(draw_folds(both, 5, 0), both)
    assert {found["cat", fold] for fold in range(1, 6)} == {6}
