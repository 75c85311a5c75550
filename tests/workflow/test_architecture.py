"""Directions of dependency, the form of scripts, and rules that fit their scripts."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

import pytest
import yaml

import l2i
from helpers.loaded_workflow import WILDCARDS, files_of, loaded_workflow, settings_of
from helpers.project import PROJECT, load_module, openers_of
from l2i.provenance.fingerprints import source_closure
from l2i.provenance.syntax import OFFERS

WORKFLOW = PROJECT / "workflow"
LIBRARY = sorted((WORKFLOW / "l2i").rglob("*.py"))
CLI = WORKFLOW / "cli"
SCRIPTS = sorted((WORKFLOW / "scripts").glob("*.py"))
RULE_FILES = sorted((WORKFLOW / "rules").glob("*.smk"))
PYTHON = sorted(path for path in WORKFLOW.rglob("*.py"))

# Given by the harness to a script that has such a parameter.
OFFERED = {*WILDCARDS, "device", "data", "urls", "sha256_of", "record_of", "lineage_of"}
OFFERED |= {"checkpoints", "scratch", "ratings"}

# From the ground up: a package or module imports only what stands before it.
FLOORS = [
    *(
        "checks",
        "disk",
        "hashing",
        "names",
        "tables",
        "metrics",
        "thresholds",
        "progress",
        "limits",
    ),
    *("runtime", "determinism", "weights", "saved_state", "streams", "addresses"),
    "stored",
    *("provenance", "features", "dictionary", "networks", "reporting", "pages", "datasets"),
    "synthetic",
    *("training", "interpretation", "export", "systems", "evaluation"),
    "listening_test",
    "models",
]
PUBLIC = {"load", "Model", "Explanation", "Component"}
PUBLIC |= {"Adapter", "FrontEnd", "train_interpreter"}


def relative(path):
    return path.relative_to(PROJECT).as_posix()


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            # `from l2i import nmf` names a module as `import l2i.nmf` does.
            yield from [f"l2i.{a.name}" for a in node.names] if module == "l2i" else [module]


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
            only, *offers = parse(path).body
            assert isinstance(only, ast.Expr) and isinstance(only.value.value, str)
            assert not offers or path.parent == WORKFLOW / "l2i"

    def test_what_is_found_by_name_is_offered_by_the_library_alone(self, path):
        # Fingerprints pass over it, see l2i.provenance.syntax.OFFERS.
        if path == WORKFLOW / "l2i/__init__.py":
            _, *offers = parse(path).body
            named = [getattr(n, "name", None) or ast.unparse(n.targets[0]) for n in offers]
            assert {*named} == OFFERS
        else:
            assert not OFFERS & {getattr(node, "name", None) for node in parse(path).body}


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_nothing_here_takes_what_the_library_offers_to_others(path):
    offered = {f"l2i.{name}" for name in l2i.__all__} | {"l2i"}
    no_result = path.is_relative_to(CLI) or path.is_relative_to(WORKFLOW / "l2i/export")
    said = {"l2i.__version__"} if no_result else set()
    assert not (offered - said) & {*imports(path)}


@pytest.mark.parametrize("path", LIBRARY, ids=relative)
def test_a_package_imports_only_packages_below_it(path):
    parts = path.relative_to(WORKFLOW / "l2i").with_suffix("").parts
    if parts == ("__init__",):
        return
    here = FLOORS.index(parts[0])  # a new package must be given its floor
    ours = {name for name in imports(path) if name.startswith("l2i.")} - {"l2i.__version__"}
    imported = {name.split(".")[1] for name in ours}
    above = {name for name in imported if FLOORS.index(name) > here}
    assert not above, f"{parts[0]} imports what stands above it"
    ground = FLOORS.index("provenance")
    assert here >= ground or len(parts) == 1, "the ground floor is flat"


def test_every_floor_is_there():
    found = {path.relative_to(WORKFLOW / "l2i").with_suffix("").parts[0] for path in LIBRARY}
    assert found - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("path", sorted((WORKFLOW / "configuration").glob("*.py")), ids=relative)
def test_the_configuration_imports_itself_and_what_loads_at_once(path):
    ours = {name for name in imports(path) if name.split(".")[0] in {"l2i", "harness", "scripts"}}
    light = {"addresses", "checks", "names", "thresholds", "provenance.fingerprints"}
    assert ours <= {f"l2i.{name}" for name in light}


MEASURING = [path for path in SCRIPTS if path.stem.startswith(("measure_", "interpret_", "sound_"))]


@pytest.mark.parametrize("path", MEASURING, ids=lambda path: path.stem)
def test_what_measures_does_not_hang_on_how_dictionaries_are_learned(path):
    # Else a line of a solver would rerun the measures of systems that have no dictionary.
    solvers = {WORKFLOW / f"l2i/dictionary/{name}.py" for name in ("nmf", "hals", "learning")}
    assert not solvers & {*source_closure([path], WORKFLOW)}


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_imports_are_absolute_and_named_in_the_source(path):
    # Otherwise the fingerprint of the code could not follow them.
    assert not [name for name in imports(path) if name.startswith(".")]
    # Systems are found by name; rules that use them add the module's fingerprint.
    by_name = {"provenance/environments.py", "systems/loading.py", "datasets/layouts.py"}
    by_name |= {"__init__.py"}  # what the library offers, to no job
    # No result hangs on the command, which may call any script, nor on the benchmark and its parts.
    of_no_result = path.is_relative_to(CLI) or path == WORKFLOW / "bench/parts.py"
    free = of_no_result or path in {WORKFLOW / "l2i" / name for name in by_name}
    assert free or "importlib" not in set(imports(path))
    assert "__import__" not in names(parse(path))


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_nothing_but_the_command_imports_it(path):
    ours = {name.split(".")[0] for name in imports(path)}
    starts_it = path.is_relative_to(WORKFLOW / "l2i_workflow")
    assert "cli" not in ours or path.is_relative_to(CLI) or starts_it


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
class TestScripts:
    def test_the_last_block_hands_the_function_of_the_file_to_the_harness(self, path):
        *_, last = parse(path).body
        first = f"if __name__ == '__main__':\n    perform(snakemake, {path.stem}"
        assert re.fullmatch(rf"{re.escape(first)}(, \w+=\w+)*\)", ast.unparse(last))

    def test_snakemake_is_named_nowhere_else(self, path):
        *body, _ = parse(path).body
        assert "snakemake" not in names(*body)
        assert "snakemake" not in {name.split(".")[0] for name in imports(path)}

    def test_no_future_import(self, path):
        # Snakemake puts its own lines in front of a script, and Python wants these to come first.
        assert "__future__" not in set(imports(path)), "Snakemake cannot run this script"

    def test_values_are_keyword_only_and_paths_come_first(self, path):
        arguments = function_of(path).args
        openers = [k.arg for k in parse(path).body[-1].body[0].value.keywords]
        positional = [argument.arg for argument in arguments.args]
        paths = [name for name in positional if name not in openers]
        assert paths and all(name.startswith("path_to_") for name in paths)
        assert positional == [name for name in openers if name in positional] + paths
        assert not [a.arg for a in arguments.kwonlyargs if a.arg.startswith("path_to_")]
        assert not (arguments.vararg or arguments.kwarg or arguments.posonlyargs)
        assert len(arguments.args) + len(arguments.kwonlyargs) <= 13, "what it uses, and no more"


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


def source_of(rule, keyword):
    """What a rule says under a keyword; nothing where it has none."""
    return ast.unparse(rule[keyword]) if keyword in rule else ""


RULES = rules()
WITH_SCRIPT = sorted(name for name, rule in RULES.items() if "script" in rule)


@pytest.fixture(scope="module")
def read():
    """The rules as Snakemake reads them, by name."""
    with loaded_workflow() as workflow:
        yield {rule.name: rule for rule in workflow.rules}


def test_there_are_rules_and_each_has_a_script_of_its_name():
    assert len(WITH_SCRIPT) >= 12
    assert sorted(path.stem for path in SCRIPTS) == WITH_SCRIPT


@pytest.mark.parametrize("name", WITH_SCRIPT)
class TestRules:
    def test_it_runs_its_script_with_exactly_three_params(self, name):
        rule = RULES[name]
        assert rule["script"].args[0].value == f"../scripts/{name}.py"
        (params,) = (keyword.value for keyword in rule["params"].keywords)
        assert ast.unparse(params.func) == "identity"
        named, _, *module = map(ast.unparse, params.args)
        assert named == repr(name)
        script = (WORKFLOW / "scripts" / f"{name}.py").read_text(encoding="utf-8")
        by_name = {"open_system": "system_module", "system_module": "system_module"}
        by_name |= {"layout_module": "layout_module"}
        found = {of for function, of in by_name.items() if re.search(rf"\b{function}\b", script)}
        assert set(module) == found, "the fingerprint must know the module found by its name"

    def test_it_has_one_log_an_environment_and_a_message(self, name):
        assert len(RULES[name]["log"].args) == 1
        assert RULES[name]["conda"].args[0].value == "../../envs/compute.yaml"
        assert RULES[name]["message"].args

    def test_it_has_at_most_twenty_lines(self, name):
        text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
        body = re.search(rf"^rule {name}:\n((?:[ ]{{4}}.*\n|\n)+)", text, re.MULTILINE)[1]
        assert 1 + len([line for line in body.splitlines() if line.strip()]) <= 20

    def test_it_fits_the_functions_of_its_script(self, name, read):
        module = load_module(name)
        call = parse(WORKFLOW / "scripts" / f"{name}.py").body[-1].body[0].value
        openers = {k.arg: getattr(module, k.value.id) for k in call.keywords}
        functions = [getattr(module, name), *openers.values()]
        taken = {parameter for f in functions for parameter in inspect.signature(f).parameters}
        jobs = zip(files_of(read[name]), settings_of(read[name]), strict=True)
        for files, settings in jobs:
            assert None not in files, "every file of a rule has a name"
            given = {f"path_to_{file}" for file in files} | {*settings}
            assert given <= taken, "the rule gives what no function takes"
            assert taken <= given | OFFERED | {*openers}, "a function takes what no rule gives"

    def test_no_setting_of_the_machine_reaches_its_params(self, name):
        assert "machine" not in ast.unparse(RULES[name]["params"])


def test_what_rules_share_stays_small():
    text = (WORKFLOW / "rules/common.smk").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150


def test_a_gpu_is_asked_for_by_the_rules_whose_scripts_take_a_device_and_no_others():
    asking = {name for name, rule in RULES.items() if "gpu=True" in source_of(rule, "resources")}
    users = set()
    for name in WITH_SCRIPT:
        functions = [getattr(load_module(name), name), *openers_of(name).values()]
        taken = {parameter for f in functions for parameter in inspect.signature(f).parameters}
        users |= {name} if "device" in taken else set()
    assert asking == users


def test_every_rule_that_may_be_submitted_states_its_threads(read):
    """Those that pass clips through a network have as many as the configuration gives; local, 1."""
    local = read["index_dataset"].workflow._localrules
    submitted = [name for name in WITH_SCRIPT if name not in local]
    stated = {name: source_of(RULES[name], "threads") for name in submitted}
    on_networks = {n for n in submitted if "gpu=True" in source_of(RULES[n], "resources")}
    assert stated == {n: "f(THREADS)" if n in on_networks else "f(1)" for n in submitted}
    assert read["train_system"].resources["_cores"].value == 4
    assert {name: read[name].resources["_cores"].value for name in local} == dict.fromkeys(local, 1)


# Methods of tensors that PyTorch refuses on a GPU where results are to be the same each time.
REFUSED_ON_A_GPU = {"median", "nanmedian", "kthvalue", "histc", "put_", "bincount"}


@pytest.mark.parametrize("path", LIBRARY, ids=relative)
def test_tensors_are_asked_for_nothing_that_a_gpu_refuses(path):
    tree = parse(path)
    of_numpy = {"np", "pd", "statistics"}
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and not (isinstance(node.func.value, ast.Name) and node.func.value.id in of_numpy)
    }
    if any(name.split(".")[0] == "torch" for name in imports(path)):
        assert not called & REFUSED_ON_A_GPU


# What a step of training must not do: each waits until the device has done all that it was given.
WAITS = {"item", "cpu", "tolist", "numpy", "nonzero", "argwhere", "unique", "synchronize", "any"}
WAITS |= {"float", "int", "bool"}
STEPS = {"batch_losses", "weighted", "after_step", "fetch"}
# Rows are numbers on the CPU until they are asked for, and a memory map is read by them.
OF_ROWS = {"batch.numpy"}
# Counts its steps in a buffer; its codes are found by active sets, which ask the device anyway.
ASKING = {("tdl_nmf", "after_step"): {"int"}}
WITH_STEPS = [p for p in LIBRARY if p.parent.name in ("systems", "training")]


def steps_of(tree):
    """Functions that are called for every batch, by name: those inside of one that trains."""
    inside = {
        node
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef)
        for node in ast.walk(outer)
        if node is not outer and isinstance(node, ast.FunctionDef)
    }
    return [node for node in inside if node.name in STEPS]


def waits_of(step):
    """Calls by which a step waits for the device, and copies to it that are waited for."""
    for node in ast.walk(step):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            blocking = "non_blocking" not in {keyword.arg for keyword in node.keywords}
            of_rows = step.name == "fetch" and ast.unparse(node.func) in OF_ROWS
            is_method = isinstance(node.func, ast.Attribute)
            converts = name in ("float", "int", "bool") and is_method  # to another type of numbers
            if name in WAITS and not of_rows and not converts:
                yield name
            if name == "to" and blocking and step.name != "fetch":
                yield "to"


@pytest.mark.parametrize("path", WITH_STEPS, ids=relative)
def test_no_step_of_training_waits_for_the_device(path):
    for step in steps_of(parse(path)):
        assert {*waits_of(step)} <= ASKING.get((path.stem, step.name), set()), step.name


def test_steps_are_found_and_so_is_what_they_wait_for():
    found = {(path.stem, step.name) for path in WITH_STEPS for step in steps_of(parse(path))}
    learners = ("posthoc", "by_design", "flint", "apnet", "vibi", "tdl_nmf", "fine_tuning")
    assert {(name, "batch_losses") for name in learners} <= found
    step = "def f():\n def batch_losses(b):\n  return {}"
    for call in ("x.item()", "x.cpu()", "float(x)", "t[b.to(d)]", "x.numpy()"):
        (found,) = steps_of(ast.parse(step.format(call)))
        assert [*waits_of(found)], call
    for call in ("x.float()", "b.to(d, non_blocking=True)"):
        (found,) = steps_of(ast.parse(step.format(call)))
        assert not [*waits_of(found)], call


def test_the_default_profile_sets_nothing_that_a_cluster_profile_sets():
    default = yaml.safe_load((PROJECT / "profiles/default/config.yaml").read_text())
    of_templates = {"__use_yte__", "__definitions__"}  # of which no setting is left
    spoken = default.pop("?if has_own_words()")
    assert spoken == {"logger": ["l2i"]}
    assert set(default) - of_templates == {"rerun-triggers", "max-checksum-file-size"}
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


def test_no_input_is_called_ancient():
    """Jobs behind one that runs are not asked for reasons of their own, and it is none to them."""
    assert not [
        path.name for path in RULE_FILES if re.search(r"(?<!\w)ancient\(", path.read_text())
    ]


@pytest.mark.parametrize("page", ["README.md", ".ci/run"])
def test_every_target_of_make_that_a_page_names_exists(page):
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    text = (PROJECT / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:`|timed )make (\w+)", text))
    assert named and named <= targets


def test_every_log_lies_apart_from_what_people_open(read):
    """And so where the page of results says."""
    logs = [str(log) for rule in read.values() for log in rule.log]
    assert logs and all(log.startswith("results/paper/logs/") for log in logs)
    assert "`logs/`" in (PROJECT / "results/README.md").read_text()


# ------------------------------------------------------------------ tests

TESTS = PROJECT / "tests"
MIRRORED = [
    "l2i",
    *(f"workflow/{name}" for name in ("configuration", "demo", "documentation", "scripts")),
]
MIRRORING = [path for folder in MIRRORED for path in sorted((TESTS / folder).rglob("test_*.py"))]


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=relative)
def test_what_tests_share_stands_in_helpers(path):
    parts = {part for name in imports(path) for part in name.split(".")}
    assert not {part for part in parts if part.startswith("test_") or part == "conftest"}


@pytest.mark.parametrize("path", MIRRORING, ids=relative)
def test_each_file_of_tests_has_the_module_of_its_name(path):
    package = path.parent.relative_to(TESTS).as_posix().removeprefix("workflow/")
    assert (WORKFLOW / package / path.name.removeprefix("test_")).is_file()


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=relative)
def test_scripts_are_loaded_by_one_helper(path):
    attributes = {n.attr for n in ast.walk(parse(path)) if isinstance(n, ast.Attribute)}
    loading = {"spec_from_file_location", "import_module", "syspath_prepend"}
    assert not loading & attributes or path == TESTS / "helpers/project.py"


def test_the_files_that_workers_begin_with_exist():
    nodes = parse(TESTS / "conftest.py").body
    (longest,) = [n.value for n in nodes if ast.unparse(n).startswith("LONGEST = ")]
    assert all((TESTS / name).is_file() for name in ast.literal_eval(longest))
