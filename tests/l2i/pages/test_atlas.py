"""l2i.pages.atlas: what is written, and the page in a browser."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest
import soundfile
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from helpers.browser import watch
from l2i.dictionary.shapes import cosines, grouped, most_alike, shapes_of
from l2i.pages.atlas import Atlas, Component, Excerpt, write_atlas
from l2i.pages.playback import levels_of
from l2i.pages.spectrograms import Grid

RATE = 16_000
GRID = Grid(RATE, 512, 256)
N_BINS, K = 257, 14
HERTZ = np.arange(N_BINS) * RATE / 512
VILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&{{ 7*7 }}\u2028"
CLASSES = ["dog", "sea waves", VILE]
DEAD, UNUSED, SOFT = 12, 11, 13
LINK = "../listen/index.html#clip=a-1"


def column(k):
    """A hump of its own; components 0 to 2 have the same."""
    middle = 20 + 16 * (0 if k < 3 else k)
    return np.exp(-0.5 * np.square((np.arange(N_BINS) - middle) / 5)) + 0.001 * k / K


def tone(hertz, seconds=1.0, level=0.2):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE)


def component(k, W, similarity):
    return Component(
        number=k,
        column=W[:, k],
        shape=shapes_of(W, HERTZ)[k],
        energy=0.0 if k == DEAD else 0.2 / (k + 1),
        n_selected=0 if k in {DEAD, UNUSED} else 9,
        dead=k == DEAD,
        learned_from=VILE if k == 4 else None,
        uses=[] if k in {DEAD, UNUSED} else [(k % 3, 0.9 - 0.05 * k, 0.75)],
        clips=[] if k == DEAD else [("a", 0.5), (VILE, 0.25)],
        alike=[(j, similarity[k, j], -0.5) for j in most_alike(similarity, k, 3)],
    )


def excerpt(k):
    return Excerpt(
        clip=VILE if k == 4 else "a",
        start_seconds=1.25,
        component=tone(400 + 50 * k, level=0.0 if k == SOFT else 0.02),
        clip_sound=tone(400 + 50 * k) + tone(3000),
        mask=np.broadcast_to(np.linspace(0, 1, N_BINS)[:, None], (N_BINS, 63)),
        activation=np.linspace(0, 3, 63),
    )


def write(folder):
    W = np.stack([column(k) for k in range(K)], axis=1)
    similarity = cosines(W)
    atlas = Atlas(
        dataset=f"Data {VILE}",
        fold="1",
        system="L2I w/ ATT",
        run="0",
        grid=GRID,
        classes=CLASSES,
        n_decisions=[4, 8, 1],
        n_clips=10,
        n_test_clips=20,
        threshold=0.1,
        similarity=similarity,
        correlation=np.full((K, K), -0.25),
        similar_from=0.9,
        grouping=grouped(similarity, 0.9),
        home="../index.html",
        links={"a": LINK},
    )
    components = (
        (component(k, W, similarity), tone(300, 0.6), None if k == DEAD else excerpt(k))
        for k in reversed(range(K))  # in no order
    )
    return write_atlas(folder, atlas, components)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A page, and what was told of it."""
    folder = tmp_path_factory.mktemp("atlas") / "run0"
    return folder, write(folder)


@pytest.fixture(scope="module")
def data(written):
    text = (written[0] / "data.js").read_text()
    assert text.startswith("window.atlas = ") and text.isascii() and "<" not in text
    return json.loads(text.removeprefix("window.atlas = ").rstrip(";\n"))


@pytest.fixture
def opened(page, written):
    page.goto(f"file://{written[0]}/index.html")
    return page


# ------------------------------------------------------------------ what is written


def test_every_file_that_the_data_name_is_there_and_no_other(written, data):
    folder, facts = written
    named = {"index.html", "data.js"}
    for each in data["components"]:
        named |= {player["file"] for player in each["players"].values()}
        if each["excerpt"]:
            named |= {each["excerpt"]["picture"], each["excerpt"]["mask"]}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert named == there
    n_bytes = sum((folder / name).stat().st_size for name in there)
    n_sounds = len([name for name in there if name.endswith(".flac")])
    assert facts == {"n_components": K, "n_sounds": n_sounds, "n_bytes": n_bytes}


def test_components_come_in_order_with_what_is_said_of_them(data):
    assert [each["number"] for each in data["components"]] == list(range(K))
    first, dead, unused = (data["components"][k] for k in (0, DEAD, UNUSED))
    assert first["uses"] == [[0, 0.9, 0.75]] and first["energy"] == 0.2
    assert first["clips"] == [["a", 0.5, LINK], [VILE, 0.25, None]]
    assert first["group"] == 0 and data["groups"] == [
        {"members": [0, 1, 2], "cosine": 1.0, "correlation": -0.25}
    ]
    assert dead["group"] is None
    assert dead["dead"] and dead["excerpt"] is None and [*dead["players"]] == ["steady"]
    assert not unused["dead"] and unused["selected"] == 0
    assert data["components"][4]["learned_from"] == VILE


def test_spectra_have_their_largest_value_where_the_column_has(data):
    low, high = data["axis"].values()
    for k in (0, 5, 9):
        spectrum = data["components"][k]["spectrum"]
        place = (spectrum.index(100) + 0.5) / len(spectrum)
        expected = HERTZ[column(k).argmax()]
        assert low * (high / low) ** place == pytest.approx(expected, rel=0.03)


def test_sounds_are_as_long_as_they_were_and_equally_loud_when_played(written, data):
    for each in data["components"]:
        loud = []
        for kind, player in each["players"].items():
            x, rate = soundfile.read(written[0] / player["file"])
            assert rate == RATE and len(x) == RATE * (0.6 if kind == "steady" else 1)
            loud.append(levels_of(player["volume"] * x, rate).loudness)
        assert max(loud) - min(loud) < 0.1
    about = data["components"][3]["excerpt"]
    # A tenth of its tone, beside which is another, which BS.1770 counts some 4 dB louder.
    assert about["gain_db"] == pytest.approx(-20 - 10 * np.log10(1 + 10**0.4), abs=0.5)
    assert data["components"][SOFT]["excerpt"]["gain_db"] is None
    assert "alone" not in data["components"][SOFT]["players"]


def test_a_mask_hides_what_is_not_the_component(written, data):
    with Image.open(written[0] / data["components"][3]["excerpt"]["mask"]) as picture:
        opacity = np.asarray(picture.convert("RGBA"))[:, :, 3]
    assert opacity[0].max() < 20 and opacity[-1].min() > 230  # low frequencies are at the bottom


def test_the_page_names_no_address_but_its_own_files(written):
    html = (written[0] / "index.html").read_text()
    assert re.findall(r'(?:src|href)="([^"]*)"', html) == ["#content", "../index.html", "data.js"]
    assert "default-src 'none'" in html


# ------------------------------------------------------------------ in a browser


def numbers(page):
    return page.locator("#page-cards .open").all_inner_texts()


def test_all_components_are_listed_by_energy_and_counted(opened):
    assert numbers(opened) == [f"{k:03d}" for k in [*range(12), SOFT, DEAD]]
    assert opened.get_by_role("status").inner_text() == f"{K} components"
    assert "never active" in opened.locator(".card").last.inner_text()
    assert "10 of the 20 test clips" in opened.locator("header").inner_text()


def test_texts_are_shown_and_not_obeyed(opened):
    assert VILE.split("\u2028")[0] in opened.locator("h1").inner_text()
    opened.goto(f"{opened.url.partition('#')[0]}#c004")
    dialog = opened.get_by_role("dialog")
    assert VILE.split("\u2028")[0] in dialog.inner_text() and "49" not in dialog.inner_text()
    assert opened.locator("img[src='x']").count() == 0


@pytest.mark.parametrize(
    ("tool", "value", "found"),
    [
        ("words", "dog", ["000", "003", "006", "009"]),
        ("words", "SEA 004", ["004"]),
        ("words", "nothing like it", []),
        ("show", "never active ones", ["012"]),
        ("show", "never selected ones", ["011"]),
        ("show", "those that are alike", ["000", "001", "002"]),
        ("class", "dog", ["000", "003", "006", "009"]),
        ("sort", "frequency", [f"{k:03d}" for k in range(K)]),
    ],
)
def test_tools_filter_and_sort(opened, tool, value, found):
    field = opened.locator(f"#page-{tool}")
    if tool == "words":
        field.fill(value)
    else:
        field.select_option(label=value)
    assert numbers(opened) == found
    if tool != "sort":
        assert opened.get_by_role("status").inner_text() == f"{len(found)} of {K} components"
        opened.get_by_role("button", name="Show all").click()
        assert len(numbers(opened)) == K


ADVANCES = """(audio) => new Promise((resolve) =>
    audio.addEventListener("timeupdate", () => audio.currentTime && resolve(audio.currentTime)))"""


def wait_until_playing(page, number):
    """Browsers tell of a pause, or of a dialog that is closed, a little later."""
    count = "[...document.querySelectorAll('audio')].filter((a) => !a.paused).length"
    until = time.monotonic() + 10
    while (now := page.evaluate(count)) != number:
        assert time.monotonic() < until, f"{now} sounds play, not {number}"
        page.wait_for_timeout(20)


def test_nothing_is_loaded_before_it_is_played_and_one_sound_plays_at_a_time(opened):
    loaded = []
    opened.on("request", lambda request: loaded.append(request.url))
    with opened.expect_request_finished(lambda request: request.url.endswith(".flac")):
        opened.get_by_role("button", name="Play component 000").first.click()
    expect(opened.locator(".play[aria-pressed=true]")).to_have_count(1)
    opened.get_by_role("button", name="000", exact=True).first.click()
    assert opened.locator(".play[aria-pressed=true]").count() == 0
    assert [url for url in loaded if url.endswith(".flac")] == [
        url for url in loaded if url.endswith("000-alone.flac")
    ]
    first, second, _ = opened.locator("dialog audio").all()
    first.evaluate("(a) => a.play()")
    second.evaluate("(a) => a.play()")
    wait_until_playing(opened, 1)
    assert second.evaluate(ADVANCES) > 0
    opened.keyboard.press("Escape")
    wait_until_playing(opened, 0)


def test_one_walks_through_the_list_by_keys_and_comes_back_to_the_card(opened):
    opened.locator("#page-sort").select_option("number")
    opened.get_by_role("button", name="003", exact=True).focus()
    opened.keyboard.press("Enter")
    title = opened.locator("#page-name")
    assert title.inner_text().startswith("Component 003")
    assert opened.evaluate("document.activeElement.id") == "page-name"
    opened.keyboard.press("ArrowRight")
    assert title.inner_text().startswith("Component 004") and opened.url.endswith("#c004")
    opened.keyboard.press("ArrowLeft")
    opened.keyboard.press("ArrowLeft")
    assert title.inner_text().startswith("Component 002")
    opened.keyboard.press("Escape")
    expect(opened.get_by_role("button", name="002", exact=True).first).to_be_focused()
    assert "#" not in opened.url


def test_a_component_tells_spectrum_classes_clips_and_what_is_like_it(opened):
    opened.get_by_role("button", name="001", exact=True).first.click()
    dialog = opened.get_by_role("dialog")
    assert "peaks at 625 Hz" in dialog.get_by_role("img").first.get_attribute("aria-label")
    text = dialog.inner_text()
    for said in ("0.85, selected in 6 of 8", "sea waves", "1.00, \u22120.50", "group 1"):
        assert said in text, said
    assert dialog.get_by_role("link", name="a", exact=True).first.get_attribute("href") == LINK
    dialog.get_by_role("button", name="000", exact=True).click()
    assert "Component 000" in dialog.inner_text()


def test_what_is_dead_or_silent_says_so_in_words(opened):
    opened.goto(f"{opened.url}#c{DEAD:03d}")
    dialog = opened.get_by_role("dialog")
    assert "It is active in none of these clips" in dialog.inner_text()
    assert dialog.locator("audio").count() == 1
    opened.goto(f"{opened.url.partition('#')[0]}#c{SOFT:03d}")
    opened.get_by_text(f"Component {SOFT:03d}").wait_for()
    assert "Silent here." in dialog.inner_text() and dialog.locator("audio").count() == 2


def test_the_map_leads_to_pairs(opened):
    box = opened.locator("#page-map").bounding_box()
    cell = box["width"] / K
    opened.locator("#page-map").click(position={"x": 2.5 * cell, "y": 5.5 * cell})
    told = opened.locator("#page-pair").inner_text()
    a, b = (int(each) for each in re.findall(r"Components (\d+).* and (\d+)", told)[0])
    expected = cosines(np.stack([column(a), column(b)], axis=1))[0, 1]
    assert float(re.search(r"cosine (\d\.\d+)", told)[1]) == pytest.approx(expected, abs=0.01)
    assert opened.locator("#page-pair .chip").all_inner_texts() == [f"{a:03d}", f"{b:03d}"]


def test_missing_data_are_told(browser, tmp_path):
    write(tmp_path / "run0")
    (tmp_path / "run0/data.js").write_text("")
    page = browser.new_page()
    page.goto(f"file://{tmp_path}/run0/index.html")
    page.get_by_text("is missing or damaged").wait_for()
    page.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 390)])
def test_axe_finds_nothing_and_pages_scroll_down_only(browser, written, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    heard = watch(page)
    page.goto(f"file://{written[0]}/index.html")
    page.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = [*Axe().run(page).response["violations"]]
    page.get_by_role("button", name="004", exact=True).first.click()
    dialog = page.locator("dialog")
    assert dialog.evaluate("(d) => d.scrollWidth <= d.clientWidth")
    found += Axe().run(page).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found]
    context.close()
    assert not heard
