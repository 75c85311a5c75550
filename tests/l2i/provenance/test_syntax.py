"""What source files say: held against a slow reading of the same, written another way."""

from __future__ import annotations

import ast
import os

import pytest

from helpers.project import PROJECT
from l2i.provenance.fingerprints import settings_fingerprint
from l2i.provenance.sources import Sources
from l2i.provenance.syntax import MODULE, read_source

FILES = sorted((PROJECT / "workflow/l2i").rglob("*.py"))


def slow_text(node):
    """A syntax tree in words, a field at a time."""
    if isinstance(node, ast.Constant):
        return f"Constant({ascii(node.value)})"
    if isinstance(node, ast.JoinedStr):
        return (
            f"JoinedStr({slow_text([v for v in node.values if getattr(v, 'value', None) != ''])})"
        )
    if isinstance(node, ast.AST):
        fields = [(name, getattr(node, name, None)) for name in node._fields]
        texts = [f"{name}={slow_text(value)}" for name, value in fields if value not in (None, [])]
        return f"{type(node).__name__}({', '.join(texts)})"
    if isinstance(node, list):
        return f"[{', '.join(map(slow_text, node))}]"
    return ascii(node)


def slow_modules(node):
    """Imports of a tree, node by node, without what only checkers of types read."""
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            found += [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            found += [child.module, *(f"{child.module}.{alias.name}" for alias in child.names)]
        if isinstance(child, ast.If) and getattr(child.test, "id", "") == "TYPE_CHECKING":
            child.body = []
        found += slow_modules(child)
    return found


def without_docstrings(tree):
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list) and node.body:
            documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            first = getattr(node.body[0], "value", None)
            words = isinstance(first, ast.Constant) and isinstance(first.value, str)
            if documented and isinstance(node.body[0], ast.Expr) and words:
                node.body.pop(0)
    return tree


@pytest.mark.parametrize("path", FILES[::3], ids=lambda path: path.stem)
def test_functions_and_imports_of_a_file_are_those_of_a_slow_reading(path):
    text = path.read_text(encoding="utf-8")
    found = read_source(text, str(path))
    functions = {}
    for node in without_docstrings(ast.parse(text)).body:
        if isinstance(node, ast.FunctionDef) and node.name not in {"__getattr__", "__dir__"}:
            functions.setdefault(node.name, []).append(slow_text(node))
    expected = {name: settings_fingerprint(texts)[:32] for name, texts in functions.items()}
    assert {name: found.parts[name] for name in expected} == expected
    assert sorted(found.modules) == sorted(slow_modules(ast.parse(text)))


EVERYWHERE = """
import a
async def f():
    import b.c
    try:
        from d import e
    except ImportError:
        import g
    else:
        import h
    finally:
        import i
    with x:
        for y in z:
            import j
        else:
            import k
    while x:
        import l
    match x:
        case 1:
            import m
    if x:
        import n
    elif y:
        import o
    class A:
        import p
        async with q:
            import r
if TYPE_CHECKING:
    import s
    if x:
        import t
else:
    import u
"""


def test_imports_are_found_wherever_a_statement_may_stand():
    found = read_source(EVERYWHERE, "any.py").modules
    assert found == ("a", "b.c", "d", "d.e", *"ghijklmnopru")


def test_what_follows_code_in_a_string_is_no_docstring_and_counts():
    one, other = (read_source(f"def f():\n    x\n    '{word}'\n", "f").parts for word in "ab")
    assert one != other and one[MODULE] == other[MODULE]


def test_an_edit_that_leaves_size_and_times_as_they_were_is_noticed(tmp_path):
    script, lock = tmp_path / "script.py", PROJECT / "envs/compute.txt"
    script.write_text("def f():\n    return 1\n")
    before, stat = Sources(tmp_path, lock).code(script), script.stat()
    script.write_text("def f():\n    return 2\n")
    os.utime(script, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert script.stat().st_size == stat.st_size
    assert Sources(tmp_path, lock).code(script) != before
