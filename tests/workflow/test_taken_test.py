"""A listening test from its rule to Figure 4: composed, taken in a browser, imported and drawn."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import soundfile

from cli.main import main
from helpers.browser import watch
from helpers.project import PROJECT
from helpers.tables import one
from helpers.tiny_project import TINY, Project, make_corpus, results
from l2i.listening_test.ratings import read_asked

pytestmark = pytest.mark.slow

LIKED = {"l2i_att": 80, "slime": 20}  # ratings of whatever is heard to be of this system
PEOPLE = 1, 2
HEAR = """() => {
    window.started = [];
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...when) {
        window.started.push([...this.buffer.getChannelData(0)]);
        return start.apply(this, when);
    };
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A tiny project whose listening test was composed by its rule."""
    test = {"datasets": ["esc50"], "n_stimuli": 2, "n_participants": 3, "per_participant": 2}
    overlay = TINY | {"listening_test": test, "slime": {"n_samples": 8}}
    overlay["run"] = TINY["run"] | {"systems": ["l2i_att"], "single_run": []}
    overlay["ablations"] = {"table_6": [], "table_7": [], "figure_6": [], "sanity": []}
    archive = tmp_path_factory.mktemp("archive") / "corpus.zip"
    pins = make_corpus(archive)
    project = Project(tmp_path_factory.mktemp("taken") / "project", PROJECT, overlay, pins)
    shutil.copy(archive, project.folder / "corpus.zip")
    project.run("--", "results/tiny/listening_test/esc50")
    return project


@pytest.fixture(scope="module")
def saved(project, browser):
    """What two people saved, in the folder of answers."""
    folder = project.folder / "answers/esc50"
    folder.mkdir(parents=True)
    return [take(project, browser, person, folder) for person in PEOPLE]


def take(project, browser, person, folder):
    """Rate everything by ear, with a reload in between, and save; the file."""
    context = browser.new_context()
    page = context.new_page()
    watched = watch(page)
    page.goto(f"{(pack_of(project) / 'index.html').as_uri()}?participant={person}")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Noise").click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Next").click()
    for place, (_, row) in enumerate(plan_of(project, person).iterrows(), start=1):
        page.evaluate(HEAR)
        page.get_by_role("heading", name=f"Recording {place} of 2").wait_for()
        for name in ("input", "A", "B"):
            button = page.locator(f"[data-sound={name}]")
            for _ in range(200):
                if "done" in button.get_attribute("class"):
                    break
                if button.get_attribute("aria-pressed") == "false":
                    button.click()
                page.wait_for_timeout(50)
        _, *sounds = page.evaluate("window.started.slice(0, 3)")
        for label, x in zip("AB", sounds, strict=True):
            rating = LIKED[heard_to_be(project, row, np.array(x))]
            page.get_by_role("slider", name=label, exact=True).fill(str(rating))
        page.reload()
        page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Finish").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save answers").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    context.close()
    assert not watched
    return path


def pack_of(project):
    return results(project) / "listening_test/esc50"


def plan_of(project, person):
    """Their stimuli in order, with clip and class."""
    plan = pd.read_csv(pack_of(project) / "participants.csv")
    plan = plan.merge(pd.read_csv(pack_of(project) / "stimuli.csv"), on="stimulus")
    return plan[plan["participant"] == person].sort_values("position")


def heard_to_be(project, row, x):
    """The system whose interpretation on the disk a sound of the page is most alike."""

    def likeness(system):
        folder = results(project) / f"stimuli/esc50/fold1/{system}/default/run0"
        y, _ = soundfile.read(folder / row["clip"] / row["class"] / "interpretation.wav")
        at = np.linspace(0, len(y) - 1, len(x))  # the browser has a rate of its own
        return np.corrcoef(x, np.interp(at, np.arange(len(y)), y))[0, 1]

    likenesses = {system: likeness(system) for system in LIKED}
    best = max(likenesses, key=likenesses.get)
    assert likenesses[best] > 0.95
    return best


def test_what_the_page_saves_is_what_the_check_expects(project, saved, capsys):
    test = read_asked(pack_of(project)).test
    assert [path.name for path in saved] == [f"ratings_{test}_{person}.csv" for person in PEOPLE]
    with pytest.raises(SystemExit) as end:
        folder = str(saved[0].parent)
        main(["listening-test", "check", folder, "--test", str(pack_of(project))])
    out = capsys.readouterr().out
    assert end.value.code == 0 and "2 participants, 2 of them complete" in out
    assert "No answers of 3" in out and "SIMULATED" not in out


def test_figure_4_says_of_each_system_what_was_heard_of_it(project, saved):
    project.run("--config", "machine={ratings: answers}", "--", "figure_4")
    table = pd.read_csv(results(project) / "tables/ratings.csv")
    table = table[table["class"] == "all classes"]
    for system, rating in LIKED.items():
        assert one(table, metric="mean_rating", system=system)["mean"] == rating
    assert one(table, metric="votes", system="l2i_att")["mean"] == 100
    assert one(table, metric="rating_difference")["mean"] == 60
    assert set(table["n"]) == {4} and not table["simulated"].any()
    for name in ("tables/ratings.md", "figures/figure_4.svg", "figures/figure_4.png"):
        assert b"SIMULATED" not in (results(project) / name).read_bytes()
