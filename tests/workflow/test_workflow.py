"""The workflow as its users run it: a tiny corpus from archive to tables, then edits.

One real run of every rule on generated sounds; after that, dry runs that say what an edit would
recompute. Accidents are in test_bad_input.py.
"""

import copy
import csv
import html
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
import yaml

from configuration.captions import caption_of
from helpers.heard_folders import data_of
from helpers.pages import steps
from helpers.project import PROJECT
from helpers.tiny_project import ABLATED, SOURCES, Project, make_corpus, overlay_for, results
from l2i.provenance.crate import write_crate
from l2i.provenance.records import load_record, record_path
from l2i.provenance.runs import Run

pytestmark = pytest.mark.slow

MEASURES = {"measure_fidelity", "measure_faithfulness", "measure_system"}
SANITY = {"measure_relevances", "measure_sanity", "tabulate_sanity", "draw_sanity"}
ATLAS = {"compose_atlas", "list_atlases", "sample_pictures"}
ATLAS |= {"draw_interpretation", "draw_dictionary"}
TABULATED = ("ablation", "by_design", "classification", "corruption", "cost", "faithfulness")
TABULATED += ("fidelity", "hyperparameters", "masks", "sanity")
# All tables, and what is made of them.
OF_TABLES = {"compare_systems", "trace_tables", *map("tabulate_{}".format, TABULATED)}
OF_TABLES |= {"draw_corruption", "draw_sanity", "draw_thresholds"}
CORRUPTION = {"measure_corruption", "measure_corruption_references"}
CORRUPTION |= {"tabulate_corruption", "draw_corruption"}
AFTER_DICTIONARY = {
    *MEASURES,
    *SANITY,
    "train_system",
    "interpret_clips",
    "measure_masks",
    *ATLAS,
    *CORRUPTION,
    "tabulate_hyperparameters",
    "tabulate_fidelity",
    "tabulate_faithfulness",
    "tabulate_ablation",
    "tabulate_by_design",
    "tabulate_masks",
    "tabulate_cost",
    "compare_systems",
    "draw_components_sweep",
    "draw_training",
    "draw_thresholds",
    "trace_tables",
    "compose_listening",
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose tiny run is complete; tests must leave it as it is."""
    folder = tmp_path_factory.mktemp("tiny") / "project"
    archive = tmp_path_factory.mktemp("archive") / "corpus.zip"
    pins = make_corpus(archive)
    with zipfile.ZipFile(archive) as members:
        clips = sorted(Path(n).stem for n in members.namelist() if n.endswith(".wav"))
    project = Project(folder, PROJECT, overlay_for(clips[:1]), pins)
    shutil.copy(archive, folder / "corpus.zip")
    _, project.said = project.run()
    return project


@pytest.fixture
def edited(finished):
    """The finished project, to be edited; sources and overlay are put back afterwards."""
    before = {p: p.read_bytes() for p in finished.folder.rglob("*") if _is_source(finished, p)}
    yield finished
    for path, content in before.items():
        if path.read_bytes() != content:
            path.write_bytes(content)


def _is_source(project, path):
    top = path.relative_to(project.folder).parts[0]
    return path.is_file() and top in {*SOURCES, "overlay.yaml"} and "__pycache__" not in path.parts


class TestFromArchiveToTables:
    @pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 6, 8])
    def test_every_table_is_written_and_every_cell_of_ours_is_filled(self, finished, number):
        table = pd.read_csv(results(finished) / f"tables/table_{number}.csv")
        # Table VI of the paper has other taps too.
        ours = table[
            ~table["verdict"].isin(["reference", "missing"] if number == 6 else ["reference"])
        ]
        assert len(ours) and ours["mean"].notna().all()
        assert (results(finished) / f"tables/table_{number}.md").read_text().startswith("# Table")

    def test_every_test_clip_of_the_first_fold_is_found_in_company_by_all(self, finished):
        table = pd.read_csv(results(finished) / "tables/corruption.csv")
        assert table["mean"].notna().all() and table["n"].eq(1).all()
        improved = table[table["metric"] == "interpretation_improvement"]
        systems = {"l2i_att", "l2i_max", "l2i_bd", "slime", "nmf_alone", "oracle_mask"}
        assert {*improved["system"]} == systems and len(improved) == 6 * 2 * 2
        index = pd.read_csv(results(finished) / "datasets/esc50/index.csv")
        scored = pd.read_csv(results(finished) / "evaluation/esc50/fold1/references/corruption.csv")
        assert {*scored["clip"]} == {*index["clip"][index["fold"] == 1]}
        assert (results(finished) / "figures/figure_corruption.png").stat().st_size > 0
        assert not (results(finished) / "evaluation/esc50/fold2/references").exists()

    def test_figures_beyond_those_of_the_paper_are_drawn_with_their_numbers(self, finished):
        folder = results(finished) / "figures"
        for name in ("training", "interpretation", "dictionary", "thresholds"):
            svg = (folder / f"figure_{name}.svg").read_text()
            assert "<title" in svg and "Figure S" in svg
            assert len(pd.read_csv(folder / f"figure_{name}.csv")) > 1
        training = pd.read_csv(folder / "figure_training.csv")
        systems = {"base_f", "l2i_att", "l2i_max", "l2i_bd", "nmf_linear"}
        assert {*training["system"]} == systems
        cells = pd.read_csv(folder / "figure_interpretation.csv")
        assert cells["mask"].between(0, 1).all() and cells["input_db"].max() == 0

    def test_every_test_clip_is_scored_once_by_every_system(self, finished):
        index = pd.read_csv(results(finished) / "datasets/esc50/index.csv")
        for system in ("l2i_att", "l2i_max"):
            paths = results(finished).glob(
                f"evaluation/esc50/fold*/{system}/default/run0/fidelity.csv"
            )
            scores = pd.concat(map(pd.read_csv, paths))
            assert sorted(scores["clip"]) == sorted(index["clip"])
            merged = scores.merge(index, on="clip")
            assert (merged["fold_x"] == merged["fold_y"]).all()

    def test_an_ablation_shares_the_run_of_the_main_tables_and_adds_one_for_each_other_value(
        self, finished
    ):
        folder = results(finished) / "systems/esc50/fold1"
        assert {p.name for p in (folder / "l2i_att").iterdir()} == {
            "default",
            "taps-B6",
            "components-4",
        }
        assert {p.name for p in (folder / "l2i_max").iterdir()} == {"default"}
        dictionaries = results(finished) / "dictionary/esc50/fold1"
        assert {p.name for p in dictionaries.iterdir()} == {"default", "components-4"}

    def test_sanity_checks_have_a_row_for_every_measure_and_step(self, finished):
        table = pd.read_csv(results(finished) / "tables/sanity.csv")
        steps = table["condition"].str.fullmatch(r"shuffled=(nothing|head(\+B\d)*)")
        assert table[steps].groupby("metric").size().tolist() == [8] * 6
        assert table["mean"].notna().all()
        assert set(table.loc[~steps, "condition"]) == {"activations=exchanged"}
        assert (results(finished) / "figures/figure_sanity.svg").exists()

    def test_two_runs_of_one_chain_write_the_same_bytes(self, finished, tmp_path, project):
        """Networks, scores and sounds of a fold; only their records and logs tell times.

        Tables and figures, which are made of these, are made anew of a crate below.
        """
        systems, folder = ("l2i_att", "l2i_bd", "nmf_linear", "slime"), results(finished)
        chain = ("evaluation/esc50/fold1/{}/*/run0/*.csv", "listening/esc50/fold1/{}/*/run0")
        patterns = [pattern.format(system) for pattern in chain for system in systems]
        asked = [path for pattern in patterns for path in folder.glob(pattern)]
        assert len(asked) > 10
        again = Project(tmp_path / "again", project, finished.overlay, finished.pins)
        shutil.copy(finished.folder / "corpus.zip", again.folder / "corpus.zip")
        again.run("--", *(str(path.relative_to(finished.folder)) for path in asked))
        timed = {"history.csv", "objective.csv"}  # how long an epoch took
        logs = results(again) / "logs"
        compared = 0
        for path in sorted(results(again).rglob("*")):
            if path.is_file() and path.suffix not in {".log", ".json"} and path.name not in timed:
                if logs in path.parents:
                    continue
                other = folder / path.relative_to(results(again))
                assert path.read_bytes() == other.read_bytes(), path
                compared += 1
        assert compared > 30

    def test_a_listening_clip_has_sounds_of_its_own_length_and_level(self, finished):
        folder = next(results(finished).glob("listening/esc50/fold1/l2i_att/default/run0/*/"))
        (about,) = folder.glob("*/interpretation.json")  # one class is decided for
        description = json.loads(about.read_text())
        sounds = {p.stem: soundfile.read(p)[0] for p in folder.rglob("*.wav")}
        assert {"input", "interpretation", "remainder"} <= set(sounds)
        assert {len(x) for x in sounds.values()} == {description["n_samples"]}
        original = next((finished.folder / "data/esc50/audio").glob(f"{folder.name}.wav"))
        assert np.abs(sounds["input"] - soundfile.read(original)[0]).max() < 1e-6
        names = {name for name in sounds if name.startswith("component_")}
        assert names == {n for n in description["sounds"] if n.startswith("component_")}

    def test_a_run_ends_by_naming_the_page_to_open_and_the_page_holds_its_sounds(self, finished):
        page = results(finished) / "listen/index.html"
        assert f"\nTo listen to: {page.resolve().as_uri()}\n" in finished.said
        clips = data_of(page.parent)["clips"]
        assert sorted(clip["kind"] for clip in clips) == ["clean", "mixture", "noise"]
        for clip in clips:
            systems = dict.fromkeys(each["system"] for each in clip["interpretations"])
            trained = ["L2I w/ ATT", "L2I w/ MAX", "L2I by design w/ ATT"]
            others = ["Integrated gradients", "Grad-CAM"] if clip["kind"] == "clean" else []
            assert [*systems] == [*trained, "SLIME", *others]
            found = [s for each in clip["interpretations"] for s in each["sounds"] if s["file"]]
            for sound in [*found, *clip["planted"]]:
                assert (page.parent / sound["file"]).is_file() and 0 < sound["volume_matched"] <= 1

    def test_a_corrupted_clip_is_interpreted_for_the_classes_that_were_planted(self, finished):
        for kind, n_classes in (("noise", 1), ("class", 2)):
            for system in ("slime", "l2i_att"):
                folder = results(finished) / f"corrupted/esc50/fold1/{system}/default/run0"
                said = [json.loads(p.read_text()) for p in folder.glob("*/*/interpretation.json")]
                about = [each for each in said if each["corruption"]["kind"] == kind]
                assert len(about) == n_classes and all(each["right"] for each in about)
        clips = (p.parent for p in (results(finished) / "corrupted").rglob("input.wav"))
        for clip in clips:
            mixed, source, other = (
                soundfile.read(clip / f"{name}.wav")[0] for name in ("input", "source", "other")
            )
            assert np.abs(mixed - source - other).max() < 1e-6
            assert np.linalg.norm(source) == pytest.approx(np.linalg.norm(other), rel=1e-4)

    def test_slime_writes_its_sounds_of_the_same_clip_where_a_system_would(self, finished):
        clips = {
            system: [
                p.name for p in results(finished).glob(f"listening/*/fold1/{system}/*/run0/*/")
            ]
            for system in ("slime", "l2i_att")
        }
        assert clips["slime"] == clips["l2i_att"] != []
        (about,) = results(finished).glob("listening/esc50/fold1/slime/*/*/*/*/interpretation.json")
        assert len(json.loads(about.read_text())["segments"]) == round(1.6 / 0.5)
        assert (about.parent / "interpretation.wav").is_file()

    def test_every_output_has_a_record_that_names_its_inputs_by_hash(self, finished):
        outputs = [
            path
            for path in results(finished).rglob("*")
            if path.suffix in {".csv", ".npy", ".safetensors", ".md"}
            and results(finished) / "logs" not in path.parents
            # What lies in a folder that is a result has the record of the folder.
            and not any(
                record_path(folder).exists()
                for folder in path.parents
                if folder.is_relative_to(results(finished))
            )
        ]
        assert len(outputs) > 30
        for path in outputs:
            record = json.loads(record_path(path).read_text())
            assert record["output"]["sha256"]
            for used in record["inputs"]:
                producer = record_path(finished.folder / used["path"])
                if producer.exists():
                    assert json.loads(producer.read_text())["output"]["sha256"] == used["sha256"]

    def test_every_pair_of_systems_is_compared(self, finished):
        pairs = pd.read_csv(results(finished) / "tables/comparisons_8.csv")
        assert len(pairs) == 4 * 3 / 2  # by design, NMF, post-hoc, and the classifier itself
        assert pairs["p"].between(0, 1).all() and (pairs["p_holm"] >= pairs["p"]).all()
        assert (pairs.filter(regex="n_folds").min(axis=1) >= 1).all()

    def test_the_ledger_says_what_this_run_has(self, finished):
        said = "`features.mel_power`: ours 2; the authors' code's 1. In this run: 1 everywhere"
        assert said in (results(finished) / "deviations.md").read_text()
        assert "1 everywhere (the authors" in (results(finished) / "deviations.html").read_text()

    def test_costs_name_every_system(self, finished):
        costs = pd.read_csv(results(finished) / "tables/cost.csv")
        assert set(costs["system"]) == {"l2i_att", "l2i_max", "l2i_bd", "nmf_linear", "base_f"}
        assert (costs["peak_memory_bytes"] > 0).all() and (costs["n_parameters"] > 0).all()

    def test_a_system_chooses_on_selection_data(self, finished):
        folder = results(finished) / "systems/esc50/fold1/nmf_linear/default/run0"
        facts = json.loads(record_path(folder / "model.safetensors").read_text())["facts"]
        assert len(facts["selection_scores"]) == 2
        assert facts["selected"]["inverse_regularization"] in (0.1, 1.0)

    def test_networks_of_one_fold_never_saw_its_test_clips(self, finished):
        logs = list(results(finished).glob("logs/systems/esc50/fold*/l2i_[am]*/*/run0/*.log"))
        assert logs and all("hidden maps of 4 clips" in log.read_text() for log in logs)

    def test_a_second_run_has_nothing_to_do(self, finished):
        assert finished.planned() == set()


def shown_in(report):
    """What Snakemake's report shows: a dict of each result, by its file."""
    text = report.read_text(encoding="utf-8")
    (found,) = re.findall(r"^\s*(?:var|const|let) results = (\{.*\});?$", text, re.MULTILINE)
    return json.loads(found)


class TestWhatCanBeOpened:
    @pytest.fixture(scope="class")
    def report(self, finished, tmp_path_factory):
        page = tmp_path_factory.mktemp("report") / "report.html"
        finished.snakemake("--report", str(page))
        return page

    def test_the_report_lists_every_table_and_figure_with_its_caption(self, finished, report):
        found = {Path(path).name: each for path, each in shown_in(report).items()}
        drawn = {p.name for p in (results(finished) / "figures").glob("*.svg")}
        tabulated = {p.name for p in (results(finished) / "tables").glob("*.csv")}
        assert len(drawn) > 5 and len(tabulated) > 10
        assert {*found} >= drawn | tabulated | {f"{Path(name).stem}.html" for name in tabulated}
        assert found.pop("deviations.html")["labels"]["page"] == "Ledger"
        for name, each in found.items():
            caption = caption_of(Path(name).stem)
            assert each["labels"]["number"] == caption.number
            assert caption.title in " ".join(html.unescape(each["caption"]).split())

    def test_the_report_has_the_workflow_and_needs_no_network(self, report):
        text = report.read_text(encoding="utf-8")
        assert "Parekh et al." in text and "compose_index" in text
        assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=.https?:", text)

    @pytest.mark.parametrize("target", ["all", "tables", "listening"])
    def test_no_link_of_what_a_target_makes_is_dead(self, finished, target):
        _, text = finished.snakemake("--summary", target)
        rows = [line.split("\t") for line in text.splitlines() if line.count("\t") >= 5]
        made = {finished.folder / path for path, *_ in rows[1:]}
        files = {f for p in made for f in ([p] if p.is_file() else p.rglob("*")) if f.is_file()}
        pages = [p for p in files if p.suffix in {".html", ".md"}]
        links = [(page, link) for page in pages for link in links_of(page)]
        asked = files | {results(finished) / ".run/configuration.json"}  # which each run writes
        dead = [
            (str(page), link) for page, link in links if (page.parent / link).resolve() not in asked
        ]
        assert links and dead == []

    def test_counts_on_the_first_page_are_those_of_the_tables(self, finished):
        page = (results(finished) / "index.html").read_text(encoding="utf-8")
        assert page.index("not of the paper&#39;s data") < page.index("<table")
        n = 0
        for path in (results(finished) / "tables").glob("table_*.csv"):
            with path.open() as file:
                rows = [row for row in csv.DictReader(file) if row["verdict"] == "other data"]
            n += sum(row["n"] != "" for row in rows)
        assert n and f'<p class="lead">{n} numbers of this run stand beside' in page

    def test_the_first_page_shows_the_figures(self, finished):
        page = (results(finished) / "index.html").read_text(encoding="utf-8")
        for path in (results(finished) / "figures").glob("*.svg"):
            assert f'src="figures/{path.name}"' in page


def links_of(page):
    """Where a page leads, beside itself and the web."""
    text = page.read_text(encoding="utf-8")
    pattern = r'(?:href|src)="([^"]+)"' if page.suffix == ".html" else r"\]\(([^)]+)\)"
    found = {link.partition("#")[0] for link in re.findall(pattern, text)}
    return {link for link in found if link and not re.match(r"[a-z]+:", link)}


class TestWhatAnEditReruns:
    def edit(self, project, *path, value):
        overlay = json.loads(json.dumps(project.overlay))
        place = overlay
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value
        project.configure(overlay)
        return project.planned()

    def test_the_number_of_components_reruns_dictionary_interpreter_and_what_follows(self, edited):
        planned = self.edit(edited, "datasets", "esc50", "dictionary", "n_components", value=5)
        assert planned == {"check_dataset", "learn_dictionary"} | AFTER_DICTIONARY

    def test_one_more_value_of_an_ablation_adds_one_chain_and_its_table(self, edited):
        taps = [*edited.overlay["ablations"]["table_6"][0]["taps"], ["input"]]
        planned = self.edit(edited, "ablations", "table_6", value=[{**ABLATED, "taps": taps}])
        assert planned == {"train_system", "measure_fidelity", "tabulate_ablation", "trace_tables"}

    def test_one_more_size_of_the_dictionary_adds_one_chain_and_redraws_its_figure(self, edited):
        sizes = [{**ABLATED, "n_components": [4, 5, 6]}]
        planned = self.edit(edited, "ablations", "figure_6", value=sizes)
        assert planned == {
            "check_dataset",
            "learn_dictionary",
            "train_system",
            "measure_fidelity",
            "draw_components_sweep",
        }

    def test_a_threshold_reruns_evaluation_only(self, edited):
        planned = self.edit(edited, "evaluation", "thresholds", value=[0.5, 0.1])
        figure = {"draw_thresholds"}
        assert planned == {"measure_faithfulness", "tabulate_faithfulness", "trace_tables"} | figure

    def test_a_switch_of_the_ledger_reruns_its_page_with_what_the_switch_changes(self, edited):
        planned = self.edit(edited, "listening", "threshold", value=0.2)
        masks = {"measure_masks", "tabulate_masks", "trace_tables"}
        sounds = {"interpret_clips", "compose_listening", "list_deviations", *ATLAS}
        assert planned == masks | sounds | CORRUPTION

    def test_a_word_of_the_ledger_or_of_its_template_reruns_its_page_alone(self, edited):
        of_pages = {"compose_listening", *ATLAS, *OF_TABLES}
        words = {
            "reference/deviations.yaml": ("Not mentioned.", set()),
            "l2i/pages/templates/base.html": ("To the content", of_pages),
        }
        for name, (word, more) in words.items():
            path = edited.folder / "workflow" / name
            before = path.read_text()
            path.write_text(before.replace(word, "Other words."))
            assert path.read_text() != before
            assert edited.planned() == {"list_deviations", *more}
            path.write_text(before)

    def test_a_change_of_the_listening_page_makes_the_page_alone(self, edited):
        for name in ("listening.html", "listening.css", "listening.js"):
            path = edited.folder / "workflow/l2i/pages/templates" / name
            path.write_text(path.read_text() + " ")
        assert edited.planned() == {"compose_listening"}

    def test_machine_keys_rerun_nothing(self, edited):
        assert self.edit(edited, "machine", "device", value="auto") == set()
        assert (
            self.edit(edited, "machine", "urls", value={"tiny": "https://a.mirror/x.zip"}) == set()
        )

    def test_editing_the_nmf_reruns_dictionaries_and_what_follows(self, edited):
        path = edited.folder / "workflow/l2i/dictionary/nmf.py"
        path.write_text(path.read_text() + "\nADDED = 1\n")
        assert edited.planned() == {"learn_dictionary"} | AFTER_DICTIONARY

    def test_comments_and_docstrings_rerun_nothing(self, edited):
        path = edited.folder / "workflow/l2i/dictionary/nmf.py"
        text = path.read_text()
        assert text.startswith('"""')
        path.write_text('"""Other words. ' + text[3:] + "\n# a remark\n")
        assert edited.planned() == set()

    def test_one_more_clip_to_listen_to_makes_sounds_of_its_fold_alone(self, edited):
        index = pd.read_csv(results(edited) / "datasets/esc50/index.csv")
        heard = edited.overlay["datasets"]["esc50"]["listening"]
        more = next(c for c, fold in zip(index["clip"], index["fold"], strict=True) if fold == 2)
        planned = self.edit(edited, "datasets", "esc50", "listening", value=[*heard, more])
        sounds = {"interpret_clips", "explain_by_slime", "explain_by_attribution"}
        sounds |= {"compose_listening"}
        chosen = {"choose_clips", "choose_corrupted"}
        assert planned == {"check_dataset", *chosen, *sounds, *ATLAS}
        sounds = [f"results/tiny/listening/esc50/fold{n}/l2i_att/default/run0" for n in (1, 2)]
        edited.run(*sounds)
        folders = results(edited).glob("listening/esc50/fold*/l2i_att/default/run0")
        assert {f.parts[-4]: [p.name for p in f.iterdir() if p.is_dir()] for f in folders} == {
            "fold1": heard,
            "fold2": [more],
        }
        logs = results(edited).glob("logs/listening/esc50/fold*/l2i_att/default/run0.log")
        made = {log.parts[-4] for log in logs if "made already" not in log.read_text()}
        assert made == {"fold2"}
        edited.configure(edited.overlay)
        edited.run(*sounds)

    def test_a_listening_test_adds_its_own_jobs_and_is_whole_whatever_is_predicted(self, edited):
        asked = edited.overlay | {"listening_test": {"datasets": ["esc50"], "n_stimuli": 2}}
        edited.configure(asked)
        sounds = {"interpret_clips", "explain_by_slime"}
        assert edited.planned() == {"choose_stimuli", *sounds, "compose_listening_test"}
        edited.run("results/tiny/listening_test/esc50")
        pack = results(edited) / "listening_test/esc50"
        n_stimuli = len(pd.read_csv(pack / "stimuli.csv"))
        assert (pack / "index.html").exists() == (n_stimuli > 0)
        record = load_record(pack)
        assert record["facts"]["n_stimuli"] == n_stimuli
        assert {each["name"] for each in record["inputs"]} >= {"stimuli", "sounds"}
        edited.configure(edited.overlay)

    def test_touching_sources_configuration_or_reference_files_reruns_nothing(self, edited):
        for path in edited.folder.rglob("*"):
            if _is_source(edited, path):
                path.touch()
        for path in (edited.folder / "results").rglob("index.csv"):
            path.touch()
        assert edited.planned() == set()

    def test_a_number_of_the_paper_reruns_only_the_tables_that_print_it(self, edited):
        path = edited.folder / "workflow/reference/paper.yaml"
        path.write_text(path.read_text().replace("82.5", "82.6"))
        tables = {"tabulate_classification", "tabulate_by_design"}
        assert edited.planned() == tables | {"trace_tables"}

    def test_a_comment_beside_the_numbers_of_the_paper_reruns_nothing(self, edited):
        path = edited.folder / "workflow/reference/paper.yaml"
        path.write_text("# a remark\n" + path.read_text())
        assert edited.planned() == set()


class TestACorpusThatChanges:
    """Whether it was downloaded or lies in a folder of one's own."""

    INDEX = "results/tiny/datasets/esc50/index.csv"

    @pytest.fixture(scope="class", params=["download", "local"])
    @classmethod
    def indexed(cls, finished, tmp_path_factory, request):
        """A copy of the project, its corpus listed."""
        folder = tmp_path_factory.mktemp("changing") / "project"
        shutil.copytree(finished.folder, folder)
        project = copy.copy(finished)
        project.folder = folder
        overlay = json.loads(json.dumps(finished.overlay))
        overlay["datasets"]["esc50"]["source"] = request.param
        project.configure(overlay)
        project.run(cls.INDEX)
        return project

    @pytest.fixture
    def corpus(self, indexed):
        """Its folder; this and what was made of it are put back afterwards."""
        for name in ("data", "results"):
            shutil.copytree(indexed.folder / name, indexed.folder / f"kept {name}")
        yield indexed.folder / "data/esc50"
        for name in ("data", "results"):
            shutil.rmtree(indexed.folder / name)
            (indexed.folder / f"kept {name}").rename(indexed.folder / name)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda clip, csv: clip.write_bytes(clip.read_bytes()[::-1]), "is changed"),
            (lambda clip, csv: clip.unlink(), "is lost"),
            (lambda clip, csv: shutil.copy(clip, clip.with_name("1-9-A-1.wav")), "is new"),
            (lambda clip, csv: csv.write_text(csv.read_text() + "a,b\n"), "is changed"),
        ],
        ids=["clip replaced", "clip deleted", "clip added", "table edited"],
    )
    def test_it_is_indexed_anew(self, indexed, corpus, change, said):
        change(next(corpus.glob("audio/*.wav")), corpus / "meta/esc50.csv")
        _, text = indexed.snakemake("-np", self.INDEX)
        assert "index_dataset" in text and said in text
        code, text = indexed.run(self.INDEX, check=False)
        assert "made already" not in text
        assert code == 1, "each of these leaves no usable corpus"

    def test_other_times_alone_change_nothing(self, indexed, corpus):
        for path in corpus.rglob("*"):
            path.touch()
        _, text = indexed.snakemake("--dry-run", self.INDEX)
        assert "Nothing to be done" in text


class TestASystemOfYourOwn:
    """The example of CONTRIBUTING.md, as printed."""

    def test_a_module_and_an_entry_are_all_that_it_takes(self, edited, project):
        module, entry = steps(project / "CONTRIBUTING.md", "Add a system")
        assert len([line for line in module.text.splitlines() if line.strip()]) <= 50
        path = edited.folder / module.path
        path.write_text(module.text)
        try:
            overlay = json.loads(json.dumps(edited.overlay))
            ours = yaml.safe_load(entry.text)
            overlay["run"]["systems"] = ours["run"]["systems"]
            overlay["systems"] |= ours["systems"]
            edited.configure(overlay)
            planned = edited.planned()
            assert {"train_system", "measure_fidelity", "tabulate_fidelity"} <= planned
            assert not {"train_classifier", "learn_dictionary", "measure_faithfulness"} & planned
            edited.run("results/tiny/tables/table_4.csv", "results/tiny/tables/comparisons_4.csv")
        finally:
            path.unlink()
        table = pd.read_csv(results(edited) / "tables/table_4.csv")
        mine = table[(table["system"] == "probe") & (table["metric"] == "top_1_fidelity")]
        assert mine["mean"].between(0, 100).all() and mine["n"].tolist() == [2]
        pairs = pd.read_csv(results(edited) / "tables/comparisons_4.csv")
        assert {"l2i_att", "probe"} == {*pairs["system"], *pairs["other"]}


def test_tables_and_figures_are_made_anew_from_a_crate_in_an_empty_clone(finished, tmp_path):
    finished.configure(finished.overlay)
    finished.run()  # tests above have edited it
    run = Run(results(finished))
    crate = write_crate(run, PROJECT, tmp_path / "tiny.crate.zip", publishers={}).path
    clone = Project(tmp_path / "clone", PROJECT, finished.overlay, finished.pins)
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "audit", "rebuild", crate],
        cwd=clone.folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": "workflow"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    made = [path for name in ("tables", "figures") for path in (run.folder / name).glob("[a-z]*")]
    assert f"{len(made)} of {len(made)} tables and figures are byte-identical" in done.stdout
    assert not list((clone.folder / "results").rglob("*.safetensors"))
