"""l2i.provenance.crate and packing: a run in one archive, described for others' programs."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from urllib.parse import unquote

import pytest

from helpers.handmade_run import COMMIT, GPU, ROOT, HandmadeRun
from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.hashing import file_sha256
from l2i.provenance.crate import write_crate
from l2i.provenance.packing import METADATA
from l2i.provenance.runs import Run

PUBLISHERS = {"esc50": "https://example.org/ESC-50.zip"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small run that tests leave as it is."""
    return HandmadeRun(tmp_path_factory.mktemp("project")).make()


@pytest.fixture
def small(tmp_path):
    """A small run to do things to."""
    return HandmadeRun(tmp_path).make()


def pack(run, target, **options):
    return write_crate(Run(run.run), PROJECT, target, publishers=PUBLISHERS, **options)


@pytest.fixture(scope="module")
def crate(finished, tmp_path_factory):
    """The small run, packed."""
    return pack(finished, tmp_path_factory.mktemp("crate") / "small.zip").path


def names_in(crate):
    with zipfile.ZipFile(crate) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def graph(crate):
    """Its entities by their identifiers."""
    return entities(crate)


def entities(crate):
    with zipfile.ZipFile(crate) as archive:
        found = json.loads(archive.read(METADATA))["@graph"]
    assert len({each["@id"] for each in found}) == len(found)
    return {each["@id"]: each for each in found}


def refs(value):
    return [each["@id"] for each in (value if isinstance(value, list) else [value])]


def actions(graph, rule):
    """Jobs of a rule."""
    tool = f"workflow/scripts/{rule}.py"
    return [
        each
        for each in graph.values()
        if each["@type"] == "CreateAction" and each["instrument"]["@id"] == tool
    ]


def values(graph, refs_to):
    return {graph[ref]["name"]: graph[ref]["value"] for ref in refs(refs_to)}


class TestWhatIsPacked:
    def test_tables_scores_records_notes_and_sources_are(self, crate):
        assert names_in(crate) >= {
            "Snakefile",
            "LICENSE",
            "README.md",
            "workflow/reference/deviations.yaml",
            f"{ROOT}/tables/table_4.csv",
            f"{ROOT}/evaluation/esc50/fold1/fidelity.csv",
            f"{ROOT}/tables/.records/table_4.csv.json",
            f"{ROOT}/systems/esc50/fold1/.records/model.safetensors.json",
            f"{ROOT}/systems/esc50/fold1/model.safetensors.digest",
            f"{ROOT}/.run/configuration.json",
            f"{ROOT}/provenance/table_4.html",
            f"{ROOT}/logs/tables/table_4.csv/tabulate_fidelity.log",
        }

    def test_weights_sounds_and_how_it_was_asked_for_are_not(self, crate):
        assert not [
            name
            for name in names_in(crate)
            if name.endswith((".safetensors", ".wav", "asked.json")) or "__pycache__" in name
        ]

    def test_the_listening_page_goes_with_the_sounds(self, small, tmp_path):
        page = {"page": "listen"}
        small.job("compose_listening", page, {"sounds": "listening/esc50"}, file="input.flac")
        for with_audio in (True, False):
            crate = pack(small, tmp_path / f"{with_audio}.zip", with_audio=with_audio).path
            assert (f"{ROOT}/listen/input.flac" in names_in(crate)) is with_audio

    def test_weights_and_sounds_are_when_asked_for(self, finished, tmp_path):
        crate = pack(finished, tmp_path / "a.zip", with_weights=True, with_audio=True).path
        model, sound = "systems/esc50/fold1/model.safetensors", "listening/esc50/a clip #1.wav"
        assert names_in(crate) >= {f"{ROOT}/{model}", f"{ROOT}/{sound}"}
        graph = entities(crate)
        (folder,) = (
            each for each in graph.values() if each.get("name") == f"{ROOT}/listening/esc50"
        )
        assert [unquote(ref) for ref in refs(folder["hasPart"])] == [f"{ROOT}/{sound}"]

    def test_every_file_is_described_by_what_it_holds(self, crate, graph):
        with zipfile.ZipFile(crate) as archive:
            for name in set(archive.namelist()) - {METADATA}:
                content, entity = archive.read(name), graph[name]
                assert entity["sha256"] == hashlib.sha256(content).hexdigest()
                assert entity["contentSize"] == str(len(content)) and entity["encodingFormat"]

    def test_same_run_same_bytes(self, finished, crate, tmp_path):
        elsewhere = tmp_path / "elsewhere"
        shutil.copytree(finished.run, elsewhere)
        (elsewhere / "tables/table_4.csv").touch()
        again = write_crate(Run(elsewhere), PROJECT, tmp_path / "b.zip", publishers=PUBLISHERS)
        assert again.path.read_bytes() == crate.read_bytes()
        with zipfile.ZipFile(crate) as archive:
            assert {each.date_time for each in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}

    def test_nothing_tells_where_it_was_packed(self, crate, finished):
        here = [str(finished.folder), str(PROJECT), "/home/me/mine.yaml"]
        with zipfile.ZipFile(crate) as archive:
            for name in archive.namelist():
                assert not [path for path in here if path.encode() in archive.read(name)], name


class TestWhatIsRefused:
    def refused(self, small, message, **options):
        target = small.folder / "out" / "small.zip"
        with pytest.raises(InputError, match=message):
            pack(small, target, **options)
        assert not target.parent.exists() or not [*target.parent.iterdir()]

    def test_a_result_that_is_not_what_its_record_says(self, small):
        (small.run / "tables/table_4.csv").write_text("tabulate_fidelity made tablE\n")
        self.refused(small, "table_4.csv is not what its record says")

    def test_a_result_that_is_missing(self, small):
        (small.run / "evaluation/esc50/fold1/fidelity.csv").unlink()
        self.refused(small, "fidelity.csv has a record but is missing")

    def test_a_folder_of_sounds_in_which_one_was_changed(self, small):
        (small.run / "listening/esc50/a clip #1.wav").write_bytes(b"other")
        self.refused(small, "listening/esc50 is not what its record says", with_audio=True)

    def test_a_digest_of_another_model(self, small):
        digest = small.run / "systems/esc50/fold1/model.safetensors.digest"
        digest.write_text(f"{'0' * 64}{digest.read_text()[64:]}")
        self.refused(small, "is not the file that")

    @pytest.mark.parametrize("path", ["tables/table_4.csv", ".run/configuration.json"])
    def test_a_link_out_of_the_run(self, small, path):
        file = small.run / path
        outside = small.folder / "outside"
        file.rename(outside)
        file.symlink_to(outside)
        self.refused(small, "is a link out of")

    def test_a_record_of_another_result(self, small):
        small.write("tables/table_4.md", small.record("tables/table_4.csv"))
        self.refused(small, "table_4.md is one of results/small/tables/table_4.csv")

    @pytest.mark.parametrize("where", ["/data/me/corpus.zip", "file:/data/me/x", "~/corpus"])
    def test_a_record_with_a_path_of_this_machine(self, small, where):
        record = small.record("tables/table_4.csv")
        small.write("tables/table_4.csv", record | {"facts": {"deep": [{"url": where}]}})
        self.refused(small, "holds a path of this machine")

    def test_a_result_with_a_path_of_this_machine(self, small):
        page = small.run / "tables/table_4.md"
        page.write_text(f"see {small.run}/tables")
        self.refused(small, "holds a path of this machine")

    def test_a_table_of_other_scores_than_are_there(self, small):
        scores = "evaluation/esc50/fold1/fidelity.csv"
        (small.run / scores).write_text("other scores\n")
        made, sha256 = small.record(scores), file_sha256(small.run / scores)
        small.write(scores, made | {"output": made["output"] | {"sha256": sha256}})
        self.refused(small, "fidelity.csv was another one when results/small/tables/table_4.csv")

    def test_a_name_that_steers_a_terminal(self, small):
        (small.run / ".run/code/a\nb.json").write_text("{}")
        self.refused(small, "cannot go into a crate")

    def test_a_rule_that_the_project_does_not_have(self, small):
        small.job("dream", {"table": "tables/dream.csv"})
        self.refused(small, "workflow/scripts/dream.py is not there")

    def test_a_crate_of_before_stays_when_the_next_is_refused(self, small, tmp_path):
        target = pack(small, tmp_path / "small.zip").path
        before = target.read_bytes()
        (small.run / "tables/table_4.csv").write_text("other")
        with pytest.raises(InputError):
            pack(small, target)
        assert target.read_bytes() == before

    def test_but_a_log_with_such_a_path_is_left_out_and_told(self, small, tmp_path):
        log = small.run / "logs/tables/table_4.csv/tabulate_fidelity.log"
        log.write_text("reading /scratch/me/x.csv\n")
        packed = pack(small, tmp_path / "small.zip")
        (told,) = packed.manifest.left_out.items()
        assert told == (f"{ROOT}/{log.relative_to(small.run)}", "names /scratch/me/x.csv")
        assert told[0] not in names_in(packed.path)


class TestQuestionsOfTheStandard:
    """Competency questions of https://www.researchobject.org/workflow-run-crate/requirements."""

    def test_1_which_containers_were_used(self, graph):
        (job,) = actions(graph, "train_system")
        assert values(graph, job["environment"])["container"] == "none: the workflow names no image"

    def test_2_how_much_memory_processor_disk_and_gpu_was_used(self, graph):
        (job,) = actions(graph, "train_system")
        usage = {graph[ref]["propertyID"]: graph[ref] for ref in refs(job["resourceUsage"])}
        told = {
            name: (each["value"], each["unitCode"].rpartition("/")[2])
            for name, each in usage.items()
        }
        assert told == {
            "wallTime": (30.5, "SEC"),
            "peakMemory": (1_000, "BYTE"),
            "peakGpuMemory": (7, "BYTE"),
            "threads": (2, "NUM"),
            "written": (50, "BYTE"),
        }
        environment = values(graph, job["environment"])
        assert environment["processor"] == "EPYC" and environment["GPU name"] == GPU["name"]
        assert environment["SLURM job_id"] == "77" and environment["memory"] == 8_000

    def test_3_which_configuration_files_were_used(self, graph):
        run = graph["#run"]
        assert f"{ROOT}/.run/configuration.json" in refs(run["object"])
        assert graph["profiles/default/config.yaml"]["about"] == {"@id": "#engine"}

    def test_4_which_environment_file_a_step_used(self, graph):
        lock = graph[graph["#step-train_system"]["buildInstructions"]["@id"]]
        assert lock["name"] == "envs/compute.txt" and lock["conformsTo"]

    def test_5_how_long_a_step_takes(self, graph):
        (job,) = actions(graph, "measure_fidelity")
        assert job["startTime"] == "2026-01-31T12:03:00+00:00"
        assert job["endTime"] == "2026-01-31T12:03:30+00:00"

    def test_6_how_long_the_workflow_takes(self, graph):
        run = graph["#run"]
        assert run["startTime"] == "2026-01-31T12:01:00+00:00"
        assert run["endTime"] == "2026-01-31T12:06:30+00:00"

    def test_7_whether_it_succeeded(self, graph):
        done = [each for each in graph.values() if str(each["@type"]).endswith("Action")]
        assert len(done) == 1 + 1 + 2 * 6, "the run, its engine, and each job with its control"
        assert {each["actionStatus"] for each in done} == {
            "http://schema.org/CompletedActionStatus"
        }

    def test_8_what_the_workflow_as_a_whole_took_and_gave(self, graph):
        run = graph["#run"]
        given = [graph[ref] for ref in refs(run["object"])]
        assert [each["@type"] for each in given] == ["Dataset", "File"], "corpus and configuration"
        assert {graph[ref]["name"] for ref in refs(run["result"])} == {
            f"{ROOT}/tables/table_4.csv",
            f"{ROOT}/tables/table_4.md",
            f"{ROOT}/listening/esc50",
            f"{ROOT}/provenance",
            f"{ROOT}/systems/esc50/fold1/history.csv",
        }

    def test_9_which_version_of_a_component_a_step_ran(self, graph):
        tool = graph[graph["#step-train_system"]["workExample"]["@id"]]
        assert tool["version"] == COMMIT
        needed = {
            graph[ref]["name"]: graph[ref]["softwareVersion"]
            for ref in refs(tool["softwareRequirements"])
        }
        assert needed == {"numpy": "2.4.6", "pandas": "3.1.1"}

    def test_10_which_script_wraps_a_component(self, graph):
        tool = graph["#step-train_system"]["workExample"]["@id"]
        assert tool == "workflow/scripts/train_system.py"
        assert {"File", "SoftwareSourceCode"} <= set(graph[tool]["@type"])
        assert graph["#step-train_system"]["@id"] in refs(graph["Snakefile"]["step"])

    def test_11_how_parameters_reached_tools(self, graph):
        (job,) = actions(graph, "train_system")
        given = [graph[ref] for ref in refs(job["object"])]
        settings = {
            e["name"]: (e["value"], e["exampleOfWork"]["@id"]) for e in given if "value" in e
        }
        value, parameter = settings["training"]
        assert value == '{"n_epochs":3}'
        assert parameter in refs(graph["workflow/scripts/train_system.py"]["input"])
        connections = [graph[ref] for ref in refs(graph["#step-train_system"]["connection"])]
        sources = {
            each["targetParameter"]["@id"]: each["sourceParameter"]["@id"] for each in connections
        }
        assert sources[parameter] == "#parameter-configuration"

    def test_and_which_scores_and_records_a_table_rests_on(self, graph):
        (job,) = actions(graph, "tabulate_fidelity")
        assert f"{ROOT}/evaluation/esc50/fold1/fidelity.csv" in refs(job["object"])
        (scored,) = actions(graph, "measure_fidelity")
        model = next(graph[ref] for ref in refs(scored["object"]) if "safetensors" in ref)
        assert model["@id"].startswith("arcp://") and model["description"] == "not packed"
        assert len(model["sha256"]) == 64 and model["contentSize"] == "24"
        about = refs(graph[f"{ROOT}/logs/tables/table_4.csv/tabulate_fidelity.log"]["about"])
        assert about == [job["@id"]]
