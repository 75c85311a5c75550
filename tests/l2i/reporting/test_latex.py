"""l2i.reporting.latex: what TeX would trip over does not get there."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.reporting.latex import WIDE, escaped, to_latex
from l2i.reporting.printed import Column, Grid, Line, Page, Section, cell

NASTY = r"_ % & # ~ ^ \ { } $ < > | \" -1 α β τ ± ≤ − ² ‖ √ ↑ ↓ × – …"
TEXTS = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=12)
CELLS = st.builds(Line, TEXTS, st.booleans()).map(lambda line: (line,)) | st.tuples(
    st.builds(Line, TEXTS, st.booleans()), st.builds(Line, TEXTS, st.booleans())
)


@st.composite
def grids(draw):
    columns = draw(
        st.lists(st.builds(Column, TEXTS, st.sampled_from(["", "g", "h_%"])), min_size=1)
    )
    row = st.lists(CELLS, min_size=len(columns), max_size=len(columns))
    return Grid(columns, draw(st.lists(row, max_size=4)), n_heads=1, caption=draw(TEXTS))


def page(*shown, name="table_4", title="Table IV: fidelity"):
    sections = [Section(f"Part {i}", [each], ["A_point."]) for i, each in enumerate(shown)]
    return Page(name, title, ["100 % of it."], sections, ["a note & more"])


def require_balanced(tex):
    """A strict reading: braces and environments close, no sign is bare, and rows are full."""
    body = re.sub(r"(?m)^%.*\n", "", tex)
    bare = re.sub(r"\\[a-zA-Z]+|\\.", "", body.replace("\\\\", "\n"))  # no command, no escape
    depth = 0
    for sign in bare:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
        assert sign not in "^#_"
    assert depth == 0 and bare.count("$") % 2 == 0
    stack = []
    for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", body):
        if what == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    for table in re.findall(r"\\begin\{(?:tabular|longtable)\}\{([lc]+)\}(.*?)\\end\{", body, re.S):
        alignment, content = table
        rows = [line for line in content.split("\n") if re.search(r" \\\\(\[3pt\])?$", line)]
        for line in rows:
            spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            n = len(re.findall(r"(?<!\\)&", line)) + 1 + sum(spans) - len(spans)
            assert n == len(alignment), line


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("a_b", r"a\_b"),
        ("5 %", r"5 \%"),
        (r"\{}", r"\textbackslash{}\{\}"),
        ("~^$#&", r"\textasciitilde{}\textasciicircum{}\$\#\&"),
        ("-0.3 [-1, 2]", "$-$0.3 [$-$1, 2]"),
        ("L2I-PostHoc", "L2I-PostHoc"),
        ("τ = 0.1 ± 2", r"$\tau$ = 0.1 $\pm$ 2"),
        ("two\nlines", "two lines"),
    ],
)
def test_text_is_set_as_it_is(text, tex):
    assert escaped(text) == tex


@given(st.lists(grids(), min_size=1, max_size=2))
def test_whatever_stands_in_cells_the_source_is_whole(shown):
    require_balanced(to_latex(page(*shown)))


def test_the_first_grid_floats_and_is_labelled_and_longer_ones_break():
    small = Grid([Column("a"), Column("b", "g")], [[cell("x"), (Line("1", True), Line("2"))]])
    tex = to_latex(page(small, small))
    assert tex.count(r"\begin{table}") == tex.count(r"\begin{longtable}") == 1
    assert r"\label{tab:table-4}" in tex and r"\textbf{1}" in tex and r"\cmidrule(lr){2-2}" in tex
    assert r"\caption{fidelity. 100 \% of it. Part 0.}" in tex
    assert [line for line in tex.splitlines() if line.startswith("{}")][:3] == [
        *(r"{}a & b \\", r"{}x & \textbf{1} \\", r"{} & 2 \\[3pt]")  # room below two lines
    ]
    wide = Grid([Column("a")], [[cell("x" * WIDE)]], caption="With noise:")
    assert r"\caption{Part 1. With noise.}" in to_latex(page(small, wide))
    assert to_latex(page(small, wide)).count(r"\begin{table}") == 2


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX on this machine")
def test_it_compiles(tmp_path):
    head = [Column(NASTY), Column(NASTY, "g_%"), Column("[a]", "g_%")]
    rows = [[cell("[x]"), (Line(NASTY, True), Line("")), cell(NASTY)]] * 3
    (tmp_path / "t.tex").write_text(to_latex(page(Grid(head, rows), Grid(head, rows))), "utf-8")
    (tmp_path / "paper.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx,longtable}"
        r"\begin{document}\input{t}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout[-2000:]
