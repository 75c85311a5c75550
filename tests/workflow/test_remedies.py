"""What a message tells its reader to type works as it is printed, whatever command was given."""

from __future__ import annotations

import ast
import re

import pytest
from typer.main import get_command

from cli.main import app
from configuration.schema import load_schema
from helpers.project import PROJECT
from helpers.tiny_project import Project, make_corpus, overlay_for

WORKFLOW = PROJECT / "workflow"
# A message that told a whole command would have to know configuration, profile and targets of the
# one that was given: it names what to add to it instead.
COMMAND = re.compile(r"\b(snakemake|make|python|l2i|git)\s+(-|[a-z]+\s+-)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+(?: [a-z_]+)?")
# How each is tried below. A new one needs a test of its own.
TRIED = {
    "--forcerun index_dataset",
    "--forcerun fetch_dataset",
    "--config",
    "--set-resources",
    "--resources",
    "--cores",
    "--dry-run",  # tests/workflow/cli/test_stale.py
}


CLI = WORKFLOW / "cli"


def options_of_l2i():
    """Each is tried by the tests of its verb."""
    command = get_command(app).commands
    verbs = [*command.pop("audit").commands.values(), *command.values()]
    return {option for verb in verbs for parameter in verb.params for option in parameter.opts}


def messages():
    """Texts of the sources that are no docstrings, with the pieces of each put together."""
    for path in sorted(WORKFLOW.rglob("*.py")):
        if {"bench", "documentation"} & {*path.parts}:  # for who develops it
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, documented) and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) not in docstrings:
                    yield path, node.value
            elif isinstance(node, ast.JoinedStr):
                pieces = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
                yield path, "".join(map(str, pieces))


class TestWords:
    def test_no_message_tells_a_whole_command(self):
        """But for answers of `l2i`, which knows how a run was asked for."""
        found = {
            text for path, text in messages() if COMMAND.search(text) and CLI not in path.parents
        }
        assert not found

    def test_every_option_that_a_message_names_is_tried_here(self):
        named = {o for _, text in messages() if " " in text for o in OPTION.findall(text)}
        known = {o.partition(" ")[0] for o in TRIED} | options_of_l2i()
        assert {o for o in named if o not in TRIED and o.partition(" ")[0] not in known} == set()
        assert "--forcerun index_dataset" in named, "else nothing is found at all"

    def test_every_file_of_ours_that_a_message_names_is_there(self):
        pattern = re.compile(
            r"(?<![\w/{}])(?:workflow|envs|config|docs)/[\w/.-]*\.(?:py|yaml|txt|md)"
        )
        named = {name for _, text in messages() for name in pattern.findall(text)}
        assert named and not [name for name in named if not (PROJECT / name).exists()]

    def test_every_key_that_a_message_names_is_one_of_the_configuration(self):
        properties = load_schema()["properties"]
        (dataset,) = properties["datasets"]["patternProperties"].values()
        for path, text in messages():
            for top, key in re.findall(
                r"(?<![\w./])(machine|run|features|listening)\.(?!(?:html|css|js)\b)([a-z_]+)", text
            ):
                where = f"{path.name}: {top}.{key}"
                assert key in properties[top]["properties"] or top == "features", where
            for key in re.findall(r"datasets\.(?:\{\}|\w+)\.([a-z_]+)", text):
                assert key in dataset["properties"], f"{path.name}: datasets.*.{key}"


@pytest.mark.slow
class TestTried:
    @pytest.fixture(scope="class")
    @classmethod
    def project(cls, tmp_path_factory):
        """A tiny project whose corpus is indexed."""
        folder = tmp_path_factory.mktemp("remedies")
        pins = make_corpus(folder / "corpus.zip")
        made = Project(folder / "project", PROJECT, overlay_for(), pins)
        (folder / "corpus.zip").rename(made.folder / "corpus.zip")
        made.run("results/tiny/datasets/esc50/index.csv")
        return made

    def test_forcerun_at_the_end_of_a_command_indexes_the_corpus_of_that_command(self, project):
        index = "results/tiny/datasets/esc50/index.csv"
        command = ["-np", "--cores", "1", index]
        assert "Nothing to be done" in project.snakemake(*command)[1]
        _, text = project.snakemake(*command, "--forcerun", "index_dataset")
        assert "Checking and listing the clips of esc50" in text
        assert "sonyc_ust" not in text and "results/paper" not in text

    def test_resources_of_a_rule_are_what_the_command_says(self, project):
        target = "results/tiny/features/esc50/log_mel.npy.digest"
        more = ["--set-resources", "cache_features:runtime=600", "cache_features:mem_mb=64000"]
        _, text = project.snakemake("-np", "--cores", "1", target, *more)
        assert "runtime=600" in text and "mem_mb=64000" in text

    def test_jobs_take_turns(self, project):
        target = "results/tiny/features/esc50/log_mel.npy.digest"
        _, text = project.snakemake("--dry-run", "--cores", "1", target, "--resources", "gpu=1")
        assert "cache_features" in text and "Job stats" in text

    def test_a_download_that_was_changed_comes_again_when_it_is_moved_away(self, project):
        index = "results/tiny/datasets/esc50/index.csv"
        corpus = project.folder / "data/esc50"
        clip = next(corpus.glob("audio/*.wav"))
        clip.write_bytes(clip.read_bytes()[:-2] + b"!!")
        code, text = project.run(index, check=False)
        assert code == 1 and f"esc50/audio/{clip.name} is changed" in text
        option = re.search(r"move it away and add (--forcerun \w+)", text)[1]
        corpus.rename(corpus.with_name("moved"))
        project.run(index, *option.split())
        assert "Nothing to be done" in project.snakemake("--dry-run", index)[1]

    def test_a_result_that_is_deleted_is_made_again_by_the_same_command(self, project):
        index = project.folder / "results/tiny/datasets/esc50/index.csv"
        before = index.read_bytes()
        index.write_bytes(b"")
        target = "results/tiny/features/esc50/log_mel.npy.digest"
        code, text = project.run(target, check=False)
        assert code != 0 and "index.csv was changed after" in text and "Traceback" not in text
        remedy = f"delete {index.relative_to(project.folder)} and give your command again"
        assert remedy in text
        index.unlink()
        project.run(target)
        assert index.read_bytes() == before
