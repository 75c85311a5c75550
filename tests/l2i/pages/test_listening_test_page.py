"""The page of a listening test in a browser: from the first words to the csv."""

from __future__ import annotations

import csv
import datetime
import io

import pandas as pd
import pytest

from helpers.browser import watch
from helpers.listening_tests import SECONDS, write_test

COLUMNS = ["test", "participant", "position", "stimulus", "class", "system", "label", "rating"]
COLUMNS += ["seconds", "rated_at", "simulated"]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("test")
    write_test(folder)
    return folder / "pack"


@pytest.fixture(scope="module")
def address(pack):
    return (pack / "index.html").as_uri()


@pytest.fixture(scope="module")
def plan(pack):
    stimuli = pd.read_csv(pack / "stimuli.csv")
    return pd.read_csv(pack / "participants.csv").merge(stimuli[["stimulus", "class"]])


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def begin(page, address, participant):
    page.goto(address)
    page.get_by_role("textbox", name="Your participant number").fill(str(participant))
    button(page, "Begin").click()


def through_the_noise(page, address, participant):
    """By all steps to the first recording."""
    begin(page, address, participant)
    hear_noise(page)
    button(page, "Next").click()
    page.get_by_role("heading", name="Recording 1 of 3").wait_for()


def to_the_first(page, address, participant, step=1):
    """To the first recording, or another, as who was there before: it spares the noise."""
    page.goto(address)
    page.evaluate(
        """([number, step]) => {
            const { test } = JSON.parse(document.querySelector("#page-data").textContent);
            const state = { step, finished: null, answers: {} };
            localStorage.setItem(`listening-test/${test}/${number}`, JSON.stringify(state));
        }""",
        [int(participant), int(step)],
    )
    page.goto(f"{address}?participant={participant}")
    page.get_by_role("heading", name=f"Recording {step} of 3").wait_for()


def hear_noise(page):
    button(page, "Noise").click()
    page.get_by_text("Playing noise").wait_for(state="attached")
    page.wait_for_timeout(600)


def sound(page, name):
    return page.locator(f"[data-sound={'input' if name == 'Input' else name}]")


def heard(page, name):
    return "done" in sound(page, name).get_attribute("class")


def hear(page, *names):
    """Play sounds until the page knows that they were heard."""
    for name in names:
        for _ in range(200):
            if heard(page, name):
                break
            if sound(page, name).get_attribute("aria-pressed") == "false":
                sound(page, name).click()
            page.wait_for_timeout(50)
        assert heard(page, name)


def rate(page, label, value):
    page.get_by_role("slider", name=label, exact=True).fill(str(value))


def next_one(page, a, b):
    hear(page, "Input", "A", "B")
    rate(page, "A", a)
    rate(page, "B", b)
    button(page, "Next").click()


def missing(page):
    return page.locator("#page-missing").inner_text()


def answers(page):
    return [*csv.DictReader(io.StringIO(page.get_by_label("Your answers").input_value()))]


def finish(page):
    page.get_by_role("heading", name="All is rated").wait_for()
    button(page, "Finish").click()
    page.get_by_role("heading", name="Thank you").wait_for()


# ------------------------------------------------------------------ all of it


def test_from_the_first_words_to_the_csv(page, address, plan):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    through_the_noise(page, address, 2)
    given = [(72, 31), (0, 100), (50, 49)]
    for a, b in given:
        assert not any(word in page.inner_text("body").lower() for word in ("slime", "l2i"))
        next_one(page, a, b)
    assert "slime" not in page.inner_text("body")
    finish(page)
    rows = answers(page)
    assert list(rows[0]) == COLUMNS and len(rows) == 6
    mine = plan[plan["participant"] == 2].sort_values("position")
    for i, (_, row) in enumerate(mine.iterrows()):
        a, b = rows[2 * i : 2 * i + 2]
        assert [(a["label"], a["rating"]), (b["label"], b["rating"])] == [
            ("A", str(given[i][0])),
            ("B", str(given[i][1])),
        ]
        assert a["system"] == row["first"] != b["system"] in {"slime", "l2i_att"}
        for each in (a, b):
            assert each["stimulus"] == row["stimulus"] and each["class"] == row["class"]
            assert each["position"] == str(i + 1) and each["participant"] == "2"
            assert each["simulated"] == "false" and 0.5 < float(each["seconds"]) < 60
            when = datetime.datetime.fromisoformat(each["rated_at"])
            assert when.utcoffset() == datetime.timedelta(0)
    with page.expect_download() as download:
        button(page, "Save answers").click()
    saved = download.value
    assert saved.suggested_filename == f"ratings_{rows[0]['test']}_2.csv"
    assert [*csv.DictReader(saved.path().read_text(encoding="utf-8").splitlines())] == rows
    button(page, "Copy as text").click()
    page.get_by_text("Copied.").wait_for()
    page.reload()
    page.get_by_role("heading", name="Thank you").wait_for()  # and no way back to the ratings
    assert answers(page) == rows and not page.get_by_role("slider").count()
    assert all(url.startswith(("file:", "blob:")) for url in asked)


def test_a_reload_in_the_middle_keeps_answers_and_place(page, address):
    to_the_first(page, address, 3)
    next_one(page, 12, 34)
    hear(page, "Input", "A", "B")
    rate(page, "B", 77)
    page.reload()
    page.get_by_role("heading", name="Recording 2 of 3").wait_for()
    assert page.get_by_text("Your answers so far are kept.").count()
    assert page.locator("#value-B").inner_text() == "77"
    assert page.locator("#value-A").inner_text() == "not rated"
    assert heard(page, "Input") and heard(page, "A") and heard(page, "B")
    button(page, "Back").click()
    assert page.locator("#value-A").inner_text() == "12"
    rate(page, "A", 13)  # changed without hearing all again
    page.goto(f"{address}?participant=3")  # as who comes back another day
    page.get_by_role("heading", name="Recording 1 of 3").wait_for()
    assert page.locator("#value-A").inner_text() == "13"


def test_nobody_goes_on_before_all_is_heard_and_rated(page, address):
    begin(page, address, 1)
    button(page, "Next").click()
    assert missing(page) == "Play the noise first."
    hear_noise(page)
    button(page, "Next").click()
    sliders = [page.get_by_role("slider", name=label, exact=True) for label in "AB"]
    assert all(slider.is_disabled() for slider in sliders)
    button(page, "Next").click()
    assert missing(page) == "Listen to all of the input, A and B first."
    hear(page, "A", "Input")
    assert all(slider.is_disabled() for slider in sliders)
    button(page, "Next").click()
    assert missing(page) == "Listen to all of B first."
    hear(page, "B")
    assert all(slider.is_enabled() for slider in sliders)
    button(page, "Next").click()
    assert missing(page) == "Rate A and B first."
    assert sliders[0].get_attribute("aria-valuetext") == "not rated"
    rate(page, "A", 20)
    button(page, "Next").click()
    assert missing(page) == "Rate B first."
    button(page, "Keep B at 50").click()  # where it is, but said so
    assert page.locator("#value-B").inner_text() == "50"
    button(page, "Next").click()
    page.get_by_role("heading", name="Recording 2 of 3").wait_for()


# ------------------------------------------------------------------ who takes part


@pytest.mark.parametrize("number", ["0", "5", "2.5", "-1", "three", "", "1e0"])
def test_a_wrong_number_is_refused_with_those_that_are_right(page, address, number):
    begin(page, address, number)
    told = page.locator("#page-number-trouble").inner_text()
    assert told.endswith("numbers are 1 to 4.") and number in told
    assert page.get_by_role("heading", name="What to do").is_visible()
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"


def test_the_address_gives_the_number_if_it_is_right(page, address):
    page.goto(f"{address}?participant=4")
    assert page.get_by_role("textbox").input_value() == "4"
    page.goto(f"{address}?participant=17")
    assert page.get_by_text("17 is no participant: numbers are 1 to 4.").is_visible()


def test_participants_on_one_machine_are_kept_apart(page, address):
    to_the_first(page, address, 1)
    hear(page, "Input", "A", "B")
    rate(page, "A", 11)
    page.goto("about:blank")
    to_the_first(page, address, 2)
    assert page.locator("#value-A").inner_text() == "not rated"
    assert not heard(page, "A")
    page.goto("about:blank")
    begin(page, address, 1)
    page.get_by_role("heading", name="Recording 1 of 3").wait_for()
    assert page.locator("#value-A").inner_text() == "11"


def test_who_cannot_be_kept_is_told_so_and_can_still_take_part(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no'); } });"
    )
    page = context.new_page()
    watched = watch(page)
    page.goto(address)
    told = page.get_by_text("This browser keeps nothing for this page.")
    assert told.is_visible()
    through_the_noise(page, address, 2)
    hear(page, "Input", "A", "B")
    rate(page, "A", 5)
    assert page.locator("#value-A").inner_text() == "5" and told.is_visible()
    assert not watched
    context.close()


# ------------------------------------------------------------------ sounds and hands

RUNNING = """() => {
    window.runs = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...when) {
        window.runs.push({ at: when[1], loop: this.loop, seconds: this.buffer.duration });
        return start.apply(this, when);
    };
}"""


def test_switching_keeps_the_place_as_all_sounds_run_together(page, address):
    to_the_first(page, address, 2)
    page.evaluate(RUNNING)
    page.get_by_label("Loop").check()
    for pressed in ("1", "a", "b", "a"):
        page.keyboard.press(pressed)
        page.wait_for_timeout(60)
        name = {"1": "Input"}.get(pressed, pressed.upper())
        assert sound(page, name).get_attribute("aria-pressed") == "true"
    runs = page.evaluate("window.runs")
    assert len(runs) == 3 and {each["at"] for each in runs} == {0}  # started once, together
    assert all(each["loop"] for each in runs)
    assert max(r["seconds"] for r in runs) == pytest.approx(SECONDS, abs=0.01)
    page.get_by_role("slider", name="Position").focus()
    page.keyboard.press("Space")
    assert sound(page, "A").get_attribute("aria-pressed") == "false"
    place = SECONDS / 2  # and not where the machine happens to have paused, as at the very end
    page.get_by_role("slider", name="Position").evaluate(
        "(e, to) => { e.value = to; e.dispatchEvent(new Event('input', { bubbles: true })); }",
        place,
    )
    page.keyboard.press("Space")
    page.wait_for_function("window.runs.length === 6")
    assert page.evaluate("window.runs.at(-1).at") == pytest.approx(place, abs=0.02)


def test_a_and_b_are_the_sounds_of_the_plan(page, address, pack, plan):
    to_the_first(page, address, 2)
    page.evaluate("""() => {
        window.peaks = [];
        const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function (...when) {
            const x = this.buffer.getChannelData(0);
            let high = 0; // energy of the differences: more where there are high frequencies
            for (let i = 1; i < x.length; i += 1) high += (x[i] - x[i - 1]) ** 2;
            window.peaks.push(high);
            return start.apply(this, when);
        };
    }""")
    page.keyboard.press("1")
    page.wait_for_function("window.peaks.length === 3")
    _, a, b = page.evaluate("window.peaks")
    first = plan[(plan["participant"] == 2) & (plan["position"] == 1)]["first"].item()
    assert (a > b) == (first == "slime")  # whose sound has the high tone


@pytest.mark.parametrize("first", ["slime", "l2i_att"])
def test_silence_is_told_and_rated_like_any_other_sound(page, address, plan, first):
    asked = plan[(plan["stimulus"] == "s04") & (plan["first"] == first)].iloc[0]
    to_the_first(page, address, asked["participant"], asked["position"])
    label = "A" if first == "slime" else "B"
    told = page.locator("#page-silence").inner_text()
    assert told.startswith(f"{label} is silence: nothing was found to play.")
    next_one(page, 3, 4)
    assert not missing(page)


def test_a_browser_that_cannot_play_is_told(browser, address):
    context = browser.new_context()
    context.add_init_script(
        "AudioContext.prototype.decodeAudioData = () => Promise.reject(new Error('no'));"
    )
    page = context.new_page()
    begin(page, address, 1)
    button(page, "Noise").click()
    page.get_by_text("The sound cannot be played by this browser.").wait_for()
    context.close()


def test_all_of_it_by_keys(page, address):
    page.goto(address)
    page.keyboard.press("Tab")  # to the content
    page.keyboard.press("Tab")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Set the volume"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_timeout(700)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent") == "Recording 1 of 3"
    hear(page, "Input", "A", "B")
    page.get_by_role("slider", name="A", exact=True).focus()
    page.keyboard.press("End")
    page.get_by_role("slider", name="B", exact=True).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#value-A").inner_text() == "100"
    assert page.locator("#value-B").inner_text() == "51"


# ------------------------------------------------------------------ for everybody


@pytest.mark.parametrize(("scheme", "width"), [("light", 1000), ("dark", 390)])
def test_axe_finds_nothing_and_nothing_is_cut_off(browser, address, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 844}, reduced_motion="reduce"
    )
    page = context.new_page()
    watched = watch(page)

    def look():
        found = Axe().run(page).response["violations"]
        assert not found, "\n".join(f"{v['id']}: {v['nodes'][0]['html']}" for v in found)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    begin(page, address, "none")
    look()
    begin(page, address, 2)
    look()
    hear_noise(page)
    button(page, "Next").click()
    button(page, "Next").click()  # which says what is missing
    look()
    hear(page, "Input", "A", "B")
    rate(page, "A", 30)
    look()
    place = "localStorage.key(0)"
    page.evaluate(f"""() => {{
        const state = JSON.parse(localStorage.getItem({place}));
        state.finished = "2024-01-01T00:00:00Z";
        window.finished = JSON.stringify(state);
        window.addEventListener("pagehide", () => localStorage.setItem({place}, window.finished));
    }}""")
    page.reload()
    page.get_by_role("heading", name="Thank you").wait_for()
    look()
    assert not watched
    context.close()
