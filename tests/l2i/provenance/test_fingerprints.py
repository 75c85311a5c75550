"""l2i.provenance.fingerprints: what must and must not change a fingerprint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l2i.provenance.fingerprints import canonical_json, code_fingerprint, source_closure

SCRIPT = '''"""A script."""

from harness import perform
from l2i.near import near


def learn(x):
    """Learn."""
    return near(x)
'''
FILES = {
    "scripts/learn.py": SCRIPT,
    "harness.py": "import l2i.moving\nimport l2i.determinism\n",
    "l2i/__init__.py": '"""Only words."""\n',
    "l2i/determinism.py": "def switch(torch):\n    torch.fast = False\n",
    "l2i/moving.py": "FAST = True\n",
    "l2i/near.py": "def near(x):\n    from l2i import far\n\n    return far.far(x)\n",
    "l2i/far.py": "import numpy\n\n\ndef far(x):\n    # why\n    return x + 1\n",
    "l2i/unrelated.py": "NOTHING = 0\n",
}
OFFERED = '''"""Words."""

__version__ = "1"
__all__ = ["far"]


def __getattr__(name):
    import importlib

    return importlib.import_module("l2i.far")


def __dir__():
    return __all__
'''


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / "workflow", FILES)


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def fingerprint(root):
    return code_fingerprint(closure(root), root)


def edit(root, name, before, after):
    text = (root / name).read_text()
    assert before in text
    (root / name).write_text(text.replace(before, after))


class TestCode:
    def test_the_closure_holds_all_imports_two_deep_and_inside_functions(self, root):
        names = [p.relative_to(root).as_posix() for p in closure(root)]
        assert names == [
            "l2i/__init__.py",
            "l2i/determinism.py",
            "l2i/far.py",
            "l2i/near.py",
            "scripts/learn.py",
        ]

    @pytest.mark.parametrize("name", ["page.html", "frame.html"])
    def test_a_template_that_a_module_or_its_template_names_is_part_of_the_code(self, root, name):
        templates = {
            "page.html": '{% extends "frame.html" %}',
            "frame.html": "<p>",
            "other.html": "",
        }
        write(root / "l2i/templates", templates)
        edit(root, "l2i/far.py", "return x + 1", 'return x + len("page.html")')
        original = fingerprint(root)
        write(root / "l2i/templates", {"other.html": "Unused."})
        assert fingerprint(root) == original
        write(root / "l2i/templates", {name: f"{templates[name]} New."})
        assert fingerprint(root) != original

    def test_what_only_the_harness_imports_is_left_out_until_a_script_uses_it(self, root):
        assert root / "l2i/moving.py" not in closure(root)
        edit(root, "l2i/far.py", "import numpy", "import l2i.moving")
        assert root / "l2i/moving.py" in closure(root)

    @pytest.mark.parametrize(
        ("name", "before", "after"),
        [
            ("l2i/far.py", "x + 1", "x + 2"),
            ("l2i/far.py", "x + 1", "1 + x"),
            ("l2i/near.py", "def near(x):", "def near(x, y=0):"),
            ("scripts/learn.py", "return near(x)", "return -near(x)"),
            ("l2i/__init__.py", '"""Only words."""', "import l2i.unrelated"),
            ("l2i/determinism.py", "fast = False", "fast = True"),
        ],
    )
    def test_an_edit_of_what_is_computed_changes_it(self, root, name, before, after):
        original = fingerprint(root)
        edit(root, name, before, after)
        assert fingerprint(root) != original

    @pytest.mark.parametrize(
        ("name", "before", "after"),
        [
            ("l2i/far.py", "    # why\n", "\n\n    # because\n"),
            ("l2i/far.py", "x + 1", "(x  +  1)"),
            ("scripts/learn.py", '"""Learn."""', '"""Learn\n\n    more.\n    """'),
            ("scripts/learn.py", '"""A script."""\n', ""),
            ("l2i/__init__.py", "Only", "Mere"),
            ("l2i/__init__.py", '"""Only words."""', OFFERED),
            ("l2i/unrelated.py", "0", "1"),
            ("l2i/moving.py", "True", "False"),
            ("l2i/determinism.py", "torch.fast = False", "torch.fast = False  # slow"),
            ("harness.py", "import l2i.moving", "import l2i.unrelated"),
        ],
    )
    def test_words_layout_and_unused_code_do_not(self, root, name, before, after):
        original = fingerprint(root)
        edit(root, name, before, after)
        assert fingerprint(root) == original

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            ("None", "''"),
            ("''", "b''"),
            ("1", "True"),
            ("1", "1.0"),
            ("()", "[]"),
            ("[None]", "[]"),
            ("{**y}", "{None: y}"),
            ("lambda *, a: a", "lambda *, a=None: a"),
            ("f'{y}'", "f'{y!r}'"),
            ("f'{y:.2f}'", "f'{y:.3f}'"),
            ("y[1:]", "y[:1]"),
        ],
    )
    def test_what_looks_alike_is_told_apart(self, root, before, after):
        (root / "l2i/far.py").write_text(f"def far(y):\n    return {before}\n")
        original = fingerprint(root)
        edit(root, "l2i/far.py", f"return {before}", f"return {after}")
        assert fingerprint(root) != original

    def test_it_is_the_same_in_every_version_of_python(self, tmp_path):
        # Worked out with 3.11, 3.12 and 3.13, whose ast.dump gives three different texts.
        (tmp_path / "script.py").write_text(ANY_SYNTAX, encoding="utf-8")
        assert code_fingerprint([tmp_path / "script.py"], tmp_path) == ANY_SYNTAX_SHA256

    def test_every_script_of_the_project_includes_the_switches_of_the_harness(self, project):
        scripts = sorted((project / "workflow/scripts").glob("*.py"))
        assert scripts
        for script in scripts:
            found = source_closure([script], project / "workflow")
            assert project / "workflow/l2i/determinism.py" in found, script

    def test_it_is_the_same_wherever_the_project_lies(self, root, tmp_path):
        elsewhere = write(tmp_path / "a/b/other", FILES)
        assert fingerprint(elsewhere) == fingerprint(root)
        (tmp_path / "link").symlink_to(elsewhere)
        assert fingerprint(tmp_path / "link") == fingerprint(root)

    def test_code_that_moves_to_another_module_changes_it(self, root):
        original = fingerprint(root)
        (root / "l2i/far.py").rename(root / "l2i/remote.py")
        edit(root, "l2i/near.py", "from l2i import far\n", "import l2i.remote as far\n")
        assert fingerprint(root) != original

    def test_relative_imports_are_refused(self, root):
        edit(root, "l2i/near.py", "from l2i import far", "from . import far")
        with pytest.raises(ValueError, match=r"near.py:2 uses a relative import"):
            fingerprint(root)


ANY_SYNTAX = '''"""Words."""

from __future__ import annotations

import os.path as p
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
LIMITS: dict[str, tuple[float, ...]] = {"é": (1e-4, -2.5, 3j), "\u2028": (), u"u": (10**20,)}


class Box(Generic[T], metaclass=type):
    """A box."""

    content: T | None = None

    @property
    def text(self) -> str:
        """Words."""
        width = 3
        return f"{self.content!r:>{width}}" f"{width=} {width:.2f} {{}}" "tail"

    async def later(self, *args: int, key: str = "", **options: object) -> Iterator[None]:
        async with self as other, other:
            yield await other.later()


def only_words(a, /, b=None, *, c, d=...):
    """Words."""


def many(x: int | list[int] = 0) -> object:
    global LIMITS
    match x:
        case None | True:
            return b""
        case [1, *rest] if rest:
            return {**LIMITS, None: [*rest]}
        case {"a": Box(content=y), **other}:
            return y, other
    try:
        assert (n := len(str(x))) > 1, "short"
        return [i for i in range(n) if not i][::2], lambda *a, k=1: (a, k)
    except (ValueError, TypeError) as error:
        raise KeyError from error
    finally:
        del x
'''
ANY_SYNTAX_SHA256 = "dd824574fa83f14e34bd9fb648c785a9592ec217aaab8e00d51dacf61208f511"


def closure(root):
    return source_closure([root / "scripts/learn.py"], root)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


class TestCanonicalJson:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(st.text(), plain))
    def test_the_order_of_keys_has_no_part_in_it(self, value):
        assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)

    def test_known_answer(self):
        value = {"b": [1, 2.5, None, True], "a": {"y": "é", "x": 1e-4}}
        assert canonical_json(value) == ('{"a":{"x":0.0001,"y":"\\u00e9"},"b":[1,2.5,null,true]}')

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ({"a": [Path("x")]}, r"value\['a'\]\[0\] is a pathlib"),
            ({"a": np.float64(1.0)}, r"value\['a'\] is a numpy.float64"),
            ({"a": np.int64(1)}, r"value\['a'\] is a numpy.int64"),
            ({"a": {"b", "c"}}, r"value\['a'\] is a builtins.set"),
            ({1: "a"}, "has the key 1; keys must be plain strings"),
        ],
    )
    def test_what_is_not_json_is_refused_with_its_place(self, value, message):
        with pytest.raises(TypeError, match=message):
            canonical_json(value)

    @pytest.mark.parametrize("value", [float("nan"), float("inf")])
    def test_numbers_that_json_cannot_hold_are_refused(self, value):
        with pytest.raises(ValueError, match=r"value\['x'\] is (nan|inf)"):
            canonical_json({"x": value})
