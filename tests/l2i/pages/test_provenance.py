from __future__ import annotations

import base64
import hashlib
import re
import time
from html.parser import HTMLParser

import pytest

from helpers.browser import watch
from l2i.checks import InputError
from l2i.pages.provenance import (
    STAGES,
    STATES,
    Account,
    Node,
    Section,
    anchor,
    pieces,
    places_of,
    provenance_page,
    shortened,
)

SHA = "0123456789abcdef" * 4
TABLE = "tables/table_4.csv"
VILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}\u2028"


def node(path, *, state="recorded", rows=(), stage=None):
    sections = [Section("file", [("sha256", SHA), *rows])]
    return Node(path, path.rpartition("/")[2], stage or path.split("/")[0], state, sections)


def scores(system, fold):
    return f"evaluation/esc50/fold{fold}/{system}/default/run0/fidelity.csv"


def account(**changes):
    """Two systems in two folds: a corpus, its index, classifiers, systems, scores, a table."""
    index, edges, nodes = (
        "datasets/esc50/index.csv",
        [("esc50.zip", "datasets/esc50/index.csv")],
        [],
    )
    for fold in (1, 2):
        classifier = f"classifier/esc50/fold{fold}/model.safetensors"
        edges.append((index, classifier))
        nodes.append(node(classifier))
        for system in ("l2i_att", "flint"):
            model = f"systems/esc50/fold{fold}/{system}/default/run0/model.safetensors"
            stale = (system, fold) == ("flint", 2)
            nodes.append(node(model, state="stale" if stale else "recorded"))
            nodes.append(node(scores(system, fold), rows=[("sparsity", f"0.{fold}")]))
            edges += [(classifier, model), (index, model), (index, scores(system, fold))]
            edges += [(model, scores(system, fold)), (scores(system, fold), TABLE)]
    nodes += [node("esc50.zip", stage="outside"), node(index), node(TABLE)]
    summary = [Section("The number", [("value", "80.0"), ("archive", SHA)])]
    given = Account("table_4.csv: l2i_att, top_1", summary, [], nodes, edges, TABLE)
    return given._replace(**changes)


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the text of the page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


# ------------------------------------------------------------------ the file


def test_the_page_needs_no_other_file_and_no_network():
    html = provenance_page(account(findings=["see https://example.org"]))
    leading = [
        value
        for _, attributes in Tags(html).tags
        for name, value in attributes.items()
        if name in {"src", "href", "xlink:href", "action", "srcset", "data", "poster"}
    ]
    assert leading and all(value.startswith("#") or value == "data:," for value in leading)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|import\(", html)
    assert "default-src &#39;none&#39;" in html or "default-src 'none'" in html


def test_the_policy_of_the_page_names_its_own_style_and_script_and_no_other():
    html = provenance_page(account())
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in html


def test_nothing_of_an_account_is_taken_for_markup():
    path = f"tables/{VILE}"
    nodes = [Node(path, VILE, "tables", "recorded", [Section(VILE, [(VILE, VILE)])])]
    html = provenance_page(Account(VILE, [Section(VILE, [(VILE, VILE)])], [VILE], nodes, [], path))
    plain = provenance_page(
        Account("", [Section("", [("", "")])], [""], [node("a", stage="tables")], [], "a")
    )
    tags = Tags(html)
    assert [tag for tag, _ in tags.tags if tag != "wbr"] == [
        tag for tag, _ in Tags(plain).tags if tag not in {"wbr", "code"}
    ]
    assert not [names for _, names in tags.tags if "onerror" in names]
    assert tags.text.count(VILE) >= 6 and "49" not in re.findall(r"\{\{.*?\}\}|\b49\b", html)


def test_every_node_has_its_own_anchor_and_is_reached_from_its_neighbours():
    html = provenance_page(account())
    ids = [attributes["id"] for _, attributes in Tags(html).tags if "id" in attributes]
    assert len(ids) == len({*ids})
    leading = {a["href"][1:] for tag, a in Tags(html).tags if tag == "a"}
    assert leading == {anchor(n.id) for n in account().nodes} <= {*ids}
    assert anchor("a b/c#%.csv") == "node/a%20b/c%23%25.csv"


def test_findings_stand_before_the_graph_and_their_absence_is_said():
    broken = provenance_page(account(findings=["the first fault", "the second fault"]))
    assert broken.index("2 things do not hold") < broken.index("the second fault")
    assert broken.index("the second fault") < broken.index('id="page-drawing"')
    whole = provenance_page(account())
    assert "All of it holds" in whole and "not hold" not in whole


def test_stage_and_state_of_a_node_are_told_in_words_and_by_more_than_colour():
    nodes = [
        node(f"{stage}/a", stage=stage, state=state)
        for stage, state in zip(STAGES, [*STATES] * 3, strict=False)
    ]
    html = provenance_page(Account("", [], [], nodes, [], nodes[0].id))
    tags = Tags(html).tags
    shapes = {a["id"].removeprefix("shape-") for tag, a in tags if tag == "symbol"}
    assert shapes == {*STAGES}
    outlines = re.findall(r'<symbol id="shape-\w+"[^>]*>(.*?)</symbol>', html)
    assert len({*outlines}) == len(STAGES)
    labels = [
        a["aria-label"] for tag, a in tags if tag == "a" and "node" in a.get("class", "").split()
    ]
    assert sorted(labels) == sorted(f"a, {n.id}: {n.stage}, {n.state}" for n in nodes)
    badges = re.findall(r'class="badge-text"[^>]*>([^<]+)<', html)
    assert sorted({*badges}) == sorted({*STATES} - {"recorded"})


def test_hashes_are_whole_in_the_text_for_who_copies_them():
    assert pieces(f"commit {'ab' * 20}, clean") == [
        (False, "commit "),
        (True, "ab" * 20),
        (False, ", clean"),
    ]
    assert pieces("ab" * 33) == [(False, "ab" * 33)]
    assert f'<code class="hash" title="{SHA}">{SHA}</code>' in provenance_page(account())


def test_a_text_that_is_too_long_keeps_its_ends():
    assert shortened("abcdefghij", 10) == "abcdefghij"
    assert shortened("abcdefghijk", 6) == "ab\N{HORIZONTAL ELLIPSIS}ijk"


def test_a_node_is_told_from_its_like_by_the_folders_in_which_they_differ():
    places = places_of(
        [node(scores("l2i_att", 1)), node(scores("flint", 1)), node(scores("flint", 2))]
    )
    assert places[scores("flint", 1)] == "fold1 \N{MIDDLE DOT} flint"
    assert places[scores("flint", 2)] == "fold2"
    assert places_of([node(TABLE)]) == {TABLE: "tables"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"root": "lost"}, "the root lost is no node"),
        ({"nodes": [node(TABLE), node(TABLE)], "edges": []}, f"{TABLE} is given twice"),
        ({"nodes": [node(TABLE, state="good")], "edges": []}, "state 'good' is none of recorded, "),
        (
            {"nodes": [node(TABLE, stage="attic")], "edges": []},
            "stage 'attic' is none of outside, ",
        ),
        ({"edges": [(TABLE, TABLE)]}, "round in a circle"),
    ],
)
def test_an_account_that_contradicts_itself_is_refused(changes, told):
    with pytest.raises(InputError, match=re.escape(told)):
        provenance_page(account(**changes))


def test_an_edge_that_is_given_twice_is_drawn_once():
    given = account()
    assert provenance_page(given._replace(edges=given.edges * 2)) == provenance_page(given)


def large_account(n_nodes=300, n_edges=1500, n_rows=20):
    """A study of 10 layers; every node reads five of the layer before it."""
    names = [f"evaluation/esc50/fold{i % 10}/system{i // 10}/scores.csv" for i in range(n_nodes)]
    edges = [
        (names[30 * (layer - 1) + (i * k) % 30], names[30 * layer + i])
        for layer in range(1, n_nodes // 30)
        for i in range(30)
        for k in (1, 2, 3, 4, 6, 7)
    ]
    rows = [(f"setting{i}", str(i)) for i in range(n_rows)]
    nodes = [node(name, rows=rows) for name in names]
    return Account("large", [], [], nodes, edges[:n_edges], names[-1])


def test_a_page_of_three_hundred_nodes_is_small_and_made_at_once():
    begin = time.process_time()
    html = provenance_page(large_account())
    assert time.process_time() - begin < 1
    assert len(html.encode()) < 2e6


# ------------------------------------------------------------------ the page in a browser


@pytest.fixture
def write(tmp_path):
    """Write the page of an account; its address, as by a double click."""

    def write_page(given):
        path = tmp_path / "provenance.html"
        path.write_text(provenance_page(given), encoding="utf-8")
        return path.as_uri()

    return write_page


def view_of(page):
    return [float(v) for v in page.locator("#page-drawing").get_attribute("viewBox").split()]


def box_of(page, path):
    return page.locator(f'a.node[href="#{anchor(path)}"]')


def marked(page, mark):
    return {
        a.rpartition("#node/")[2]
        for a in page.locator(f".node.{mark}").evaluate_all("n => n.map(a => a.href.baseVal)")
    }


def test_buttons_wheel_and_keys_zoom_and_move(page, write):
    page.goto(write(account()))
    page.get_by_role("button", name="All").click()
    whole = view_of(page)
    page.get_by_role("button", name="Zoom in").click()
    assert view_of(page)[2] == pytest.approx(whole[2] / 1.25, rel=1e-3)
    page.get_by_role("button", name="Zoom out").click()
    assert view_of(page) == pytest.approx(whole, abs=0.1)
    page.locator("#page-drawing").hover()
    page.mouse.wheel(0, -200)
    page.wait_for_function(
        "w => document.querySelector('#page-drawing').viewBox.baseVal.width < w", arg=whole[2]
    )
    page.locator("#page-drawing").focus()
    page.keyboard.press("0")
    assert view_of(page) == pytest.approx(whole, abs=0.1)
    page.keyboard.press("+")
    closer = view_of(page)
    assert closer[2] < whole[2]
    page.keyboard.press("ArrowRight")
    assert view_of(page)[0] > closer[0] and view_of(page)[1:] == closer[1:]
    page.keyboard.press("-")
    assert view_of(page)[2] > closer[2]


def test_a_drag_moves_the_graph_and_leaves_the_choice(page, write):
    page.goto(write(account()))
    page.get_by_role("button", name="Zoom in").click()
    box_of(page, TABLE).click()
    before = view_of(page)
    box_of(page, scores("flint", 1)).hover()
    page.mouse.down()
    x, y = page.evaluate("[innerWidth / 2, innerHeight / 2]")
    page.mouse.move(x, y, steps=5)
    page.mouse.up()
    after = view_of(page)
    assert after[:2] != before[:2] and after[2:] == before[2:]
    assert marked(page, "is-chosen") == {TABLE}


def test_one_finger_moves_and_two_zoom(browser, write):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    heard = watch(page)
    page.goto(write(account()))
    page.locator("#page-drawing").scroll_into_view_if_needed()
    before = view_of(page)
    session = context.new_cdp_session(page)
    area = page.locator("#page-drawing").bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + 60

    def touch(kind, *places):
        points = [{"x": x + dx, "y": y + dy, "id": i} for i, (dx, dy) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (0, 0))
    for down in (10, 40, 80):
        touch("touchMove", (0, down))
    touch("touchEnd")
    page.wait_for_function(
        "y => document.querySelector('#page-drawing').viewBox.baseVal.y < y", arg=before[1]
    )
    touch("touchStart", (-20, 0), (20, 0))
    for spread in (30, 40, 60):
        touch("touchMove", (-spread, 0), (spread, 0))
    touch("touchEnd")
    page.wait_for_function(
        "w => document.querySelector('#page-drawing').viewBox.baseVal.width < w / 1.5",
        arg=before[2],
    )
    context.close()
    assert not heard


def test_a_click_shows_details_and_all_that_a_node_rests_on(page, write):
    page.goto(write(account()))
    chosen = "systems/esc50/fold1/l2i_att/default/run0/model.safetensors"
    box_of(page, chosen).click()
    panel = page.get_by_role("complementary")
    assert SHA in panel.inner_text() and chosen in panel.inner_text()
    rests = {"esc50.zip", "datasets/esc50/index.csv", "classifier/esc50/fold1/model.safetensors"}
    assert marked(page, "is-rest") == rests
    assert marked(page, "is-made") == {scores("l2i_att", 1), TABLE}
    assert page.locator(".lines path.is-rest").count() == 4
    assert page.locator(".lines path.is-made").count() == 2
    panel.get_by_role("link", name="fidelity.csv").click()
    assert marked(page, "is-chosen") == {scores("l2i_att", 1)}
    panel.get_by_role("button", name="Close").click()
    assert not marked(page, "is-chosen") and panel.count() == 0


def test_the_keyboard_reaches_the_graph_its_boxes_and_their_details(page, write):
    page.goto(write(account()))
    page.locator("#page-drawing").focus()
    page.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('href')"
    assert page.evaluate(focused) == f"#{anchor(TABLE)}"
    page.keyboard.press("ArrowLeft")
    assert "fidelity.csv" in page.evaluate(focused)
    first = page.evaluate(focused)
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) != first
    assert (
        float(
            page.evaluate(
                "parseFloat(getComputedStyle(document.activeElement.querySelector('.box')).strokeWidth)"
            )
        )
        == 4
    )
    page.keyboard.press("Enter")
    assert f"#{anchor(marked(page, 'is-chosen').pop())}" == page.evaluate(focused)
    assert "rests on" in page.get_by_role("status").inner_text()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "page-panel"
    box_of(page, TABLE).focus()
    page.keyboard.press("Escape")
    assert not marked(page, "is-chosen")


@pytest.mark.parametrize(
    ("words", "found"),
    [("flint fold2", 2), ("SPARSITY 0.1", 2), (SHA[:20], 13), ("stale", 1), ("nowhere", 0)],
)
def test_a_search_leaves_what_has_all_its_words(page, write, words, found):
    page.goto(write(account()))
    page.get_by_role("searchbox").fill(words)
    assert page.locator(".node.is-match").count() == found
    assert page.locator("details.record:visible").count() == found
    assert page.get_by_role("status").inner_text() == f"{found} of {len(account().nodes)} boxes"
    page.keyboard.press("Escape")
    assert page.locator("details.record:visible").count() == len(account().nodes)


def test_an_address_with_a_path_opens_at_its_node(page, write):
    page.goto(f"{write(account())}#{anchor(scores('flint', 2))}")
    assert marked(page, "is-chosen") == {scores("flint", 2)}
    assert page.locator("details.record[open]").count() == 1


def test_without_scripts_a_box_leads_to_its_details(browser, write):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write(account()))
    assert not page.get_by_role("toolbar").is_visible()
    box_of(page, TABLE).click()
    assert page.url.endswith(f"#{anchor(TABLE)}")
    details = page.locator(f'details[data-node="{anchor(TABLE)}"] .body')
    details.get_by_text(SHA).wait_for(state="visible")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_every_theme_and_width_is_legible_and_scrolls_down_only(browser, write, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    heard = watch(page)
    page.goto(write(account(findings=[f"{scores('flint', 2)} is stale: sha256 {SHA}"])))
    box_of(page, TABLE).click()
    page.locator("details.record").last.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("--ink", "--soft", "--accent", "--after", "--good", "--bad", "--warn"):
        assert contrast(page, name, "--paper") >= 4.5, name
        assert contrast(page, name, "--surface") >= 4.5, name
    assert contrast(page, "--bad", "--bad-back") >= 4.5
    assert contrast(page, "--good", "--good-back") >= 4.5
    for stage in STAGES:  # shapes and outlines
        assert contrast(page, f"--{stage}", "--surface") >= 3, stage
    context.close()
    assert not heard


def contrast(page, *names):
    """Contrast of two colours of the style, as WCAG 2 defines it."""

    def luminance(name):
        page.evaluate(f"document.body.style.outlineColor = 'var({name})'")
        colour = page.evaluate("getComputedStyle(document.body).outlineColor")
        parts = [int(v) / 255 for v in re.findall(r"\d+", colour)[:3]]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted(map(luminance, names))
    return (high + 0.05) / (low + 0.05)


def test_print_shows_the_whole_graph_and_no_tools(page, write):
    page.goto(write(account()))
    box_of(page, TABLE).click()
    for _ in range(5):
        page.get_by_role("button", name="Zoom in").click()
    page.emulate_media(media="print")
    boxes = [box.bounding_box() for box in page.locator(".node").all()]
    area = page.locator("#page-drawing").bounding_box()
    assert all(
        area["x"] <= b["x"] and b["x"] + b["width"] <= area["x"] + area["width"] for b in boxes
    )
    assert all(
        area["y"] <= b["y"] and b["y"] + b["height"] <= area["y"] + area["height"] for b in boxes
    )
    assert not page.get_by_role("searchbox").is_visible()
    assert page.get_by_role("complementary").count() == 0


def test_a_large_graph_answers_at_once(page, write):
    page.goto(write(large_account()))
    middle = f"#{anchor(large_account().nodes[150].id)}"
    spent = page.evaluate(
        """(href) => {
            const box = document.querySelector(`a.node[href="${href}"]`);
            const begin = performance.now();
            box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
            return performance.now() - begin;
        }""",
        middle,
    )
    assert page.locator(".node.is-chosen").count() == 1
    assert spent < 500  # milliseconds
