"""Directions of dependency, the form of scripts, and rules that fit their scripts."""

from __future__ import annotations

import ast
import re
import textwrap

import pytest
import yaml

from helpers.project import PROJECT

WORKFLOW = PROJECT / "workflow"
LIBRARY = sorted((WORKFLOW / "l2i").rglob("*.py"))
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))
RULE_FILES = sorted((WORKFLOW / "rules").glob("*.smk"))
PYTHON = sorted(path for path in WORKFLOW.rglob("*.py"))

# Given by the harness to a script that has such a parameter.
OFFERED = {
    "dataset",
    "fold",
    "system",
    "variant",
    "run",
    "weights",
    "number",
    "device",
    "data",
    "urls",
    "checkpoints",
    "scratch",
}


def relative(path):
    return path.relative_to(PROJECT).as_posix()


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def names(*nodes):
    return {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}


@pytest.mark.parametrize("path", LIBRARY, ids=relative)
class TestLibrary:
    def test_it_knows_nothing_of_the_workflow_or_its_configuration(self, path):
        above = {"snakemake", "harness", "configuration", "scripts", "cli"}
        assert not above & {name.split(".")[0] for name in imports(path)}
        assert not {"snakemake", "config"} & names(parse(path))

    def test_package_files_hold_a_docstring_and_nothing_else(self, path):
        # One import there, and every rule depends on it.
        if path.name == "__init__.py":
            (only,) = parse(path).body
            assert isinstance(only, ast.Expr) and isinstance(only.value.value, str)


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_imports_are_absolute_and_named_in_the_source(path):
    # Otherwise the fingerprint of the code could not follow them.
    assert not [name for name in imports(path) if name.startswith(".")]
    # Systems are found by name; rules that use them add the module's fingerprint.
    by_name = {"records.py", "stored.py"}
    assert not {"importlib"} & set(imports(path)) or path.name in by_name
    assert "__import__" not in names(parse(path))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
class TestScripts:
    def test_the_last_block_hands_the_function_of_the_file_to_the_harness(self, path):
        *_, last = parse(path).body
        expected = f"if __name__ == '__main__':\n    perform(snakemake, {path.stem})"
        assert ast.unparse(last) == expected

    def test_snakemake_is_named_nowhere_else(self, path):
        *body, _ = parse(path).body
        assert "snakemake" not in names(*body)
        assert "snakemake" not in {name.split(".")[0] for name in imports(path)}

    def test_no_future_import(self, path):
        # Snakemake puts its own lines in front of a script, and Python wants these to come first.
        assert "__future__" not in set(imports(path)), "Snakemake cannot run this script"

    def test_values_are_keyword_only_and_paths_come_first(self, path):
        arguments = function_of(path).args
        positional = [argument.arg for argument in arguments.args]
        assert positional and all(name.startswith("path_to_") for name in positional)
        assert not [a.arg for a in arguments.kwonlyargs if a.arg.startswith("path_to_")]
        assert not (arguments.vararg or arguments.kwarg or arguments.posonlyargs)


def function_of(path):
    (function,) = [
        node
        for node in parse(path).body
        if isinstance(node, ast.FunctionDef) and node.name == path.stem
    ]
    return function


# ------------------------------------------------------------------ rules


def rules():
    """Name -> {keyword: call whose arguments are the keyword's}, read from the rule files."""
    found = {}
    for path in RULE_FILES:
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"^rule (\w+):\n((?:[ ]{4}.*\n|\n)+)", text, re.MULTILINE):
            blocks = re.findall(
                r"^    (\w+):(.*\n(?:[ ]{8}.*\n|\n)*)", match.group(2), re.MULTILINE
            )
            found[match.group(1)] = {
                keyword: ast.parse(f"f({textwrap.dedent(body)}\n)", mode="eval").body
                for keyword, body in blocks
            }
    return found


RULES = rules()
WITH_SCRIPT = sorted(name for name, rule in RULES.items() if "script" in rule)


# What helpers of the form of `settings` add by themselves.
ADDED = {"figure_settings": {"titles"}, "ablation_settings": {"rows"}}


# Input functions of rules/common.smk that give several files, and the names of these.
UNPACKED = {
    "unpack(needs_of_system)": ["classifier", "dictionary", "weights"],
    "unpack(measured_system)": ["system", "classifier"],
    "unpack(compared)": ["clips", "classifier", "posthoc"],
}
TRAINING = {"module", "system_settings", "choose", "start"}  # of `training_settings`
TRAINING |= {"features", "clip_seconds", "positive_weight", "selection_seed"}


def keys_of_settings(call):
    """Top keys of what `settings(...)`, or a helper of the same form, gives."""
    if isinstance(call, ast.Name) and call.id == "training_settings":
        return TRAINING
    if isinstance(call, ast.Call) and call.func.id == "with_settings":
        return keys_of_settings(call.args[0]) | {k.arg for k in call.keywords}
    if isinstance(call, ast.Lambda):
        return keys_of_settings(call.body.func)  # a helper, called with the wildcards at once
    if call.func.id == "ablation_settings":
        call.args.pop(0)  # the table
    added = ADDED.get(call.func.id, set())
    ends = [part.values[-1] if isinstance(part, ast.JoinedStr) else part for part in call.args]
    paths = [end.value for end in ends if isinstance(end, ast.Constant)]
    assert len(paths) == len(call.args), "paths of settings must end in plain texts"
    keys = {path.split("/")[-1].strip("{}") for path in paths}
    # `datasets` says for which data sets the rest is looked up; it is no key of its own.
    return keys | {k.arg for k in call.keywords} - {"datasets"} | added


def test_there_are_rules_and_each_has_a_script_of_its_name():
    assert len(WITH_SCRIPT) >= 12
    assert sorted(path.stem for path in SCRIPTS) == WITH_SCRIPT


@pytest.mark.parametrize("name", WITH_SCRIPT)
class TestRules:
    def test_it_runs_its_script_with_exactly_three_params(self, name):
        rule = RULES[name]
        assert rule["script"].args[0].value == f"../scripts/{name}.py"
        params = {keyword.arg: keyword.value for keyword in rule["params"].keywords}
        assert set(params) == {"settings", "code", "env"}
        script = (WORKFLOW / "scripts" / f"{name}.py").read_text(encoding="utf-8")
        finds_by_name = "open_system" in script or "system_module" in script
        code = "code_of_system" if finds_by_name else "code"
        assert ast.unparse(params["code"]) == f"{code}('{name}')"
        assert ast.unparse(params["env"]) == "ENV"

    def test_it_has_one_log_an_environment_and_a_message(self, name):
        assert len(RULES[name]["log"].args) == 1
        assert RULES[name]["conda"].args[0].value == "../../envs/compute.yaml"
        assert RULES[name]["message"].args

    def test_every_file_is_named(self, name):
        for keyword in ("input", "output"):
            if keyword in RULES[name]:
                assert all(ast.unparse(each) in UNPACKED for each in RULES[name][keyword].args)

    def test_it_fits_the_function_of_its_script(self, name):
        rule = RULES[name]
        files = [k.arg for part in ("input", "output") if part in rule for k in rule[part].keywords]
        for each in rule["input"].args if "input" in rule else ():
            files += UNPACKED[ast.unparse(each)]
        (settings,) = [k.value for k in rule["params"].keywords if k.arg == "settings"]
        given = {f"path_to_{file}" for file in files} | keys_of_settings(settings)
        arguments = function_of(WORKFLOW / "scripts" / f"{name}.py").args
        taken = {argument.arg for argument in arguments.args + arguments.kwonlyargs}
        assert given <= taken, "the rule gives what the function does not take"
        assert taken <= given | OFFERED, "the function takes what the rule does not give"

    def test_no_setting_of_the_machine_reaches_its_params(self, name):
        assert "machine" not in ast.unparse(RULES[name]["params"])


def test_the_slurm_profile_knows_every_rule_that_uses_a_gpu():
    users = {
        name
        for name, rule in RULES.items()
        if "resources" in rule and "gpu" in {k.arg for k in rule["resources"].keywords}
    }
    profile = (PROJECT / "slurm/config.yaml").read_text()
    (listed,) = re.findall(r"\?for rule in (\(.*?\)):", profile)
    assert set(ast.literal_eval(listed)) == users
    assert yaml.safe_load(profile)["executor"] == "slurm"


def test_the_default_profile_sets_nothing_that_a_cluster_profile_sets():
    default = yaml.safe_load((PROJECT / "profiles/default/config.yaml").read_text())
    assert set(default) == {"rerun-triggers", "max-checksum-file-size"}
    assert "code" not in default["rerun-triggers"] and "params" in default["rerun-triggers"]


# ------------------------------------------------------------------ pages


def test_the_readme_holds_no_placeholder():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\b[A-Z0-9]+_TIME\b|^(?:RESULT|BENCH)$", text, re.MULTILINE) == []


def test_the_check_before_a_change_lands_runs_the_tests_as_the_readme_names_them():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    check = (PROJECT / ".ci/run").read_text(encoding="utf-8")
    assert re.search(r"^timed make test$", check, re.MULTILINE)
    assert "`make test`" in readme


@pytest.mark.parametrize("page", ["README.md", ".ci/run"])
def test_every_target_of_make_that_a_page_names_exists(page):
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    text = (PROJECT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|timed )make (\w+)", text))
    assert named and named <= targets


def test_the_slurm_page_tells_which_rules_are_not_tried_again():
    never = {
        name
        for name, rule in RULES.items()
        if "retries" in rule and rule["retries"].args[0].value == 0
    }
    profile = (PROJECT / "slurm/config.yaml").read_text()
    assert never == {"fetch_dataset", "fetch_weights", "index_dataset"}
    assert re.search(r"^retries: 2\b", profile, re.MULTILINE)
    page = " ".join((PROJECT / "slurm/README.md").read_text().split())
    assert "for whatever reason, is submitted up to twice more" in page


def test_the_page_of_results_names_every_folder_that_rules_write_logs_to():
    text = "".join(path.read_text() for path in RULE_FILES)
    page = (PROJECT / "results/README.md").read_text()
    for folder in re.findall(r"RESULTS}/(logs/\w+)/", text):
        assert f"`{folder}/`" in page
