"""The configuration: what is shipped is valid and described, what is wrong is named."""

from __future__ import annotations

import copy
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from snakemake.utils import update_config

from configuration import reading
from configuration.dataset_validation import MIN_FRAMES
from configuration.reading import load_reference, resolved
from configuration.schema import description, load_schema
from configuration.validation import validate_config
from helpers.project import PROJECT
from l2i.checks import InputError
from l2i.networks import classifier

# Beside config.yaml itself, which lies there as well for workflows that are deployed.
OVERLAYS = sorted(p for p in (PROJECT / "config").glob("*.yaml") if not p.is_symlink())


def written(*overlays):
    """The configuration as its files say it."""
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())
    for path in overlays:
        update_config(config, yaml.safe_load(path.read_text()))
    return config


def load(*overlays):
    return resolved(written(*overlays))


def leaves(value, path=()):
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path


@pytest.fixture
def config():
    return load()


def changed(config, place, value):
    config = copy.deepcopy(config)
    *folders, last = place.split(".")
    inner = config
    for folder in folders:
        inner = inner[folder]
    inner[last] = value
    return config


class TestInvariants:
    def test_the_paper_is_valid(self, config):
        validate_config(config)

    @pytest.mark.parametrize("path", OVERLAYS, ids=lambda path: path.stem)
    def test_every_overlay_is_valid_and_has_a_name_of_its_own(self, config, path):
        merged = load(path)
        validate_config(merged)
        assert merged["name"] == path.stem != config["name"]

    def test_there_are_overlays(self):
        assert {path.stem for path in OVERLAYS} >= {"authors", "demo", "esc10", "mini"}

    @pytest.mark.parametrize("path", [None, *OVERLAYS], ids=lambda path: path and path.stem)
    def test_every_leaf_is_described_in_one_line(self, path):
        for place in leaves(written(*[path] if path else [])):
            text = description(place)
            assert text and "\n" not in text, f"{'.'.join(place)} has no description"

    def test_the_least_number_of_frames_is_that_of_the_classifier(self):
        assert MIN_FRAMES == classifier.MIN_FRAMES

    def test_checking_a_configuration_loads_no_torch(self):
        code = "import sys, configuration.validation; assert 'torch' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], cwd=PROJECT / "workflow", check=True)

    def test_every_mapping_of_the_schema_refuses_unknown_keys(self):
        def mappings(schema):
            if isinstance(schema, dict):
                if schema.get("type") == "object":
                    yield schema
                for part in schema.values():
                    yield from mappings(part)

        found = list(mappings(load_schema()))
        assert len(found) > 10
        named = [s for s in found if s.get("additionalProperties") is not False]
        # Of systems and layouts, whose modules name what they can be told: known answers below.
        properties = load_schema()["properties"]
        (dataset,) = properties["datasets"]["patternProperties"].values()
        by_modules = [*mappings(properties["systems"]), dataset["properties"]["corpus"]]
        assert all(schema in by_modules for schema in named)
        assert all(isinstance(schema["additionalProperties"], dict) for schema in named)

    def test_a_key_that_is_missing_anywhere_is_named(self, config):
        # What a data set or system may leave out.
        optional = {("systems", "l2i_att", "as_classifier", "name"), ("machine", "urls")}
        optional |= {leaf for leaf in leaves(config) if leaf[2:3] == ("by_dataset",)}
        # What stands there without being needed: the downloads have addresses of their own.
        optional |= {leaf for leaf in leaves(config) if leaf[:2] == ("machine", "urls")}
        for *folders, last in set(leaves(config)) - optional:
            inner = broken = copy.deepcopy(config)
            for folder in folders:
                inner = inner[folder]
            del inner[last]
            try:
                validate_config(broken)
            except InputError as error:
                assert last in str(error)
            else:
                raise AssertionError(f"nobody misses {'.'.join([*folders, last])}")


class TestKnownAnswers:
    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            ("sed", 1, r"sed is not a known key; did you mean seed\? allowed here: ablations, at"),
            (
                "datasets.esc50.dictionary.n_component",
                3,
                r"datasets.esc50.dictionary.n_component is not a known key; did you mean "
                r"n_components\? allowed here: clips_per_class, n_components, n_iter",
            ),
            ("datasets.ESC 50", {}, r"datasets.ESC 50 is not a known key; a name must match"),
            ("name", "a/b", r"name is 'a/b', but must match"),
            ("seed", True, r"seed is True, but must be of type integer"),
            (
                "datasets.esc50.classifier.learning_rate",
                "2e-4",
                r"learning_rate is '2e-4', but must be of type number",
            ),
            ("run.folds", [1, "2"], r"run.folds\[1\] is '2', but must be of type integer"),
            ("run.folds", [], r"run.folds is \[\], but needs at least 1 entries"),
            ("run.seeds", [0, 0], r"run.seeds is \[0, 0\], but must hold no entry twice"),
            (
                "run.datasets",
                ["esc10"],
                r"run.datasets names esc10, which datasets does not",
            ),
            ("run.systems", ["l2i"], r"run.systems names l2i, .* it has l2i_att, l2i_max"),
            (
                "datasets.esc50.classifier.weights",
                "imagenet",
                r"weights names imagenet, which workflow/reference/downloads.yaml does not define",
            ),
            ("features.mel_power", 3, r"mel_power is 3, but must be one of \[1, 2\] \(exponent of"),
            ("evaluation.random.n_removed", 0, r"n_removed is 0, but is none of what is allowed"),
            ("evaluation.random.threshold", 0.2, r"must be one of evaluation.thresholds"),
            ("statistics.confidence", 1, r"confidence is 1, but must be below 1"),
            ("features.n_mels", 64, r"features.n_mels is 64, but must be 128 \(mel bands of"),
            ("features.hop_length", 513, r"hop_length must be at most half of features.n_fft"),
            ("features.mel_power", 1.0, r"mel_power is 1.0, but must be of type integer"),
            ("run.folds", [1.0], r"run.folds\[0\] is 1.0, but must be of type integer"),
            (
                "datasets.esc50.classifier.n_epochs",
                35.0,
                r"n_epochs is 35.0, but must be of type integer",
            ),
            (
                "datasets.esc50.classifier.width",
                0.5,
                r"classifier.width is 0.5, but the weights audioset are of width 1",
            ),
            (
                "datasets.esc50.classifier.weights",
                "scratch",
                r"classifier.trainable is head, but weights is scratch",
            ),
            (
                "datasets.esc50.classifier.augmentation",
                {"crop": 0.5, "mixup": 0.0},
                r"classifier.augmentation is given, but trainable is head",
            ),
            (
                "systems.l2i_att.settings.fidelity_weight",
                [[2, 1.0]],
                r"fidelity_weight must start at epoch 1$",
            ),
            (
                "systems.l2i_att.settings.fidelity_weight",
                [[1, 1.0], [20, 2.0], [10, 3.0]],
                r"fidelity_weight must name its epochs in ascending order",
            ),
            (
                "systems.l2i_att.settings.fidelity_weight",
                [[1, 1.0], [1, 2.0]],
                r"fidelity_weight must name its epochs in ascending order",
            ),
            (
                "datasets.esc50.clip_seconds",
                1.47,
                r"clip_seconds is 1.47, which gives 127 frames, but .* at least 1.48 seconds",
            ),
            ("datasets.esc50.task", "multi_class", r"datasets.esc50.task is not a known key"),
            ("systems.l2i_att", {}, r"systems.l2i_att.module is missing: name of a file of"),
            (
                "systems.l2i_att.settings",
                {"poling": "max"},
                r"systems.l2i_att has the setting poling, which its module does not know; "
                r"did you mean pooling",
            ),
            (
                "systems.l2i_att.settings",
                {},
                r"systems.l2i_att lacks the setting pooling: how Theta pools",
            ),
            (
                "systems.l2i_att.settings.pooling",
                "attenton",
                r"systems.l2i_att: pooling is 'attenton', but must be one of \['attention', 'cl",
            ),
            (
                "systems.apnet.settings.n_channels",
                "many",
                r"systems.apnet: n_channels is 'many', but must be of type integer",
            ),
            (
                "systems.apnet.settings.learning_rate",
                "1e-3",
                r"learning_rate is '1e-3', but must be of type number",
            ),
            (
                "systems.vibi.by_dataset",
                {"esc50": {"n_epochs": -3}},
                r"n_epochs is -3, but must be at",
            ),
            (
                "systems.tdl_nmf.grid.representation",
                ["mel"],
                r"representation is 'mel', but must",
            ),
            (
                "systems.vibi.settings.precision",
                "float16",
                r"precision is 'float16', but must be on",
            ),
            (
                "systems.vibi.settings.n_kept",
                10,
                r"grid names n_kept, which settings .*write grid: {n_kept: \[10\]}",
            ),
            ("systems.vibi.grid.precision", ["auto"], r"grid cannot name precision"),
            (
                "systems.vibi.grid.n_kept",
                [5, 5],
                r"n_kept is \[5, 5\], but must hold no entry tw",
            ),
            (
                "systems.vibi.grid.n_kept",
                5,
                r"n_kept is 5, but must be of type array \(values of",
            ),
            (
                "systems.flint.measures",
                ["fidelity", "sounds"],
                r"holds sounds, but flint gives fid",
            ),
            ("systems.apnet.needs", ["trunk"], r"needs is \['trunk'\], but apnet can do with \[\]"),
            (
                "systems.l2i_max.as_classifier",
                {"name": "l2i_posthoc", "title": "again"},
                r"is l2i_posthoc, which is another row of Table VIII",
            ),
            (
                "systems.l2i_max.as_classifier",
                {"name": "apnet", "title": "again"},
                r"name is apnet, which is another row of Table",
            ),
            (
                "systems.slime",
                {"title": "S", "module": "vibi", "needs": ["classifier"], "measures": ["fidelity"]},
                r"systems.slime has a name that means something else",
            ),
            (
                "systems.l2i_att.grid",
                {"taps": [["B6"], ["B5"]]},
                r"ablations.table_6\[0\] varies taps, but so does systems.l2i_att.grid",
            ),
            ("systems.l2i_att.module", "posthok", r"systems/posthok.py is not there: correct"),
            (
                "systems.l2i_att.module",
                "loading",
                r"loading.py has no SETTINGS, NEEDS, MEASURES",
            ),
            (
                "systems.l2i_att.needs",
                ["dictionary"],
                r"systems.l2i_att.measures must hold fidelity where needs holds classifier",
            ),
            (
                "systems.l2i_bd.as_classifier",
                {"name": "x", "title": "X"},
                r"systems.l2i_bd.as_classifier is for systems",
            ),
            (
                "systems.l2i_bd.by_dataset",
                {"esc5": {}},
                r"systems.l2i_bd.by_dataset names esc5, which datasets",
            ),
            ("run.single_run", ["flint9"], r"run.single_run names flint9, which systems does not"),
            (
                "ablations.table_6",
                [{"dataset": "esc50", "fold": 1, "system": "l2i_bd", "taps": [["B3"]]}],
                r"ablations.table_6\[0\].system is l2i_bd, but ablations change",
            ),
            (
                "systems.l2i_max.settings.dropout",
                1,
                r"systems.l2i_max: dropout is 1, but must be below 1",
            ),
            (
                "systems.l2i_att.settings.taps",
                ["B7"],
                r"systems.l2i_att: taps\[0\] is 'B7', but must be one of",
            ),
            ("datasets.esc50.corpus", {"layout": "esc50"}, r"esc50.corpus.subset is missing: all"),
            (
                "datasets.sonyc_ust.corpus",
                {"layout": "sonyc_ust"},
                r"sonyc_ust.corpus.labels is missing: rule",
            ),
            (
                "datasets.sonyc_ust.metric",
                "accuracy",
                r"sonyc_ust.metric is accuracy, but for the layout sonyc_ust it must be auprc or",
            ),
            (
                "datasets.openmic.classifier.decision",
                "test",
                r"classifier.decision is 'test', but is none of what is allowed \(probability",
            ),
            (
                "datasets.esc50.metric",
                "f1",
                r"metric is f1, but for the layout esc50 it must be accuracy, since one class is",
            ),
            (
                "datasets.esc50.download",
                "esc",
                r"esc50.download names esc, which workflow/reference/downloads.yaml does not",
            ),
            (
                "datasets.esc50.download",
                "openmic",
                r"download names openmic, whose pins .* are not those of the layout esc50",
            ),
            (
                "datasets.esc50.corpus",
                {"layout": "esc51"},
                r"esc50.corpus.layout is esc51; there are esc50, folders, openmic, sonyc_ust",
            ),
            (
                "run.datasets",
                ["esc50", "openmic"],
                r"table_7\[0\].dataset is sonyc_ust, which run.datasets does not hold: add it "
                r"there, or take this entry out",
            ),
            (
                "ablations.table_6",
                [{"dataset": "esc50", "fold": 9, "system": "l2i_att", "taps": [["B3"]]}],
                r"table_6\[0\].fold is 9, but must be one of run.folds",
            ),
            (
                "ablations.figure_6",
                [{"dataset": "openmic", "fold": 1, "system": "l2i_att", "n_components": [20]}],
                r"figure_6\[0\].fold must be official: openmic has one split and no folds",
            ),
            (
                "ablations.table_7",
                [
                    {"dataset": "esc50", "fold": fold, "system": "l2i_att", "weights": [[1.0, 0.8]]}
                    for fold in (1, 2)
                ],
                r"ablations.table_7 asks twice for .*'reconstruction_weight': 1.0.* keep one",
            ),
            (
                "ablations.sanity",
                [{"dataset": "openmic", "fold": "official", "system": "l2i_att", "targets": []}],
                r"ablations.sanity\[0\].dataset is openmic, in which any number of classes may",
            ),
            (
                "ablations.sanity",
                [
                    {"dataset": "esc50", "fold": fold, "system": "l2i_att", "targets": []}
                    for fold in (1, 2)
                ],
                r"ablations.sanity\[1\] asks twice for l2i_att on esc50: keep one",
            ),
            (
                "ablations.sanity",
                [{"dataset": "esc50", "fold": 1, "system": "l2i_att", "targets": ["labels"]}],
                r"ablations.sanity\[0\].targets\[0\] is 'labels', but must be",
            ),
            (
                "ablations.sanity",
                [{"dataset": "esc50", "fold": 1, "system": "flint", "targets": ["shuffled"]}],
                r"ablations.sanity\[0\].system is flint, but ablations change",
            ),
            (
                "systems.l2i_att.settings.targets",
                "labels",
                r"systems.l2i_att: targets is 'labels', but must be one of .*classifier",
            ),
            (
                "datasets.openmic.classifier.decision",
                "validate",
                r"decision is validate, but corpora in the layout openmic keep no clips for that",
            ),
            (
                "datasets.sonyc_ust.dictionary.n_components",
                310,
                r"is 310: with clips_per_class it must be a multiple of the 8 classes",
            ),
            (
                "ablations.figure_6",
                [
                    {
                        "dataset": "sonyc_ust",
                        "fold": "official",
                        "system": "l2i_att",
                        "n_components": [33],
                    }
                ],
                r"a value of ablations.figure_6 for sonyc_ust, is 33: with clips_per_class",
            ),
            (
                "datasets.esc50.dictionary.n_noise_components",
                3,
                r"n_noise_components is 3, but clips_per_class is null, which learns no noise",
            ),
            (
                "datasets.sonyc_ust.classifier.positive_weight",
                [1.0],
                r"positive_weight has 1 entries, but the corpus has 8 classes",
            ),
            (
                "datasets.sonyc_ust.excluded_classes",
                ["cat"],
                r"excluded_classes names cat; the classes are engine, machinery-impact",
            ),
            (
                "datasets.sonyc_ust.corpus",
                {"layout": "sonyc_ust", "labels": "dcase", "subset": "all"},
                r"sonyc_ust.corpus.subset means nothing to the layout sonyc_ust: take it out",
            ),
            (
                "datasets.esc50.corpus",
                {"layout": "folders"},
                r"esc50.corpus.n_folds is missing: folds that sounds are drawn into",
            ),
            (
                "datasets.esc50.corpus",
                {"layout": "folders", "n_folds": 1},
                r"esc50.corpus.n_folds is 1, but must be at least 2 \(folds that",
            ),
            (
                "datasets.esc50.corpus",
                {"layout": "folders", "n_folds": "five"},
                r"esc50.corpus.n_folds is 'five', but must be of type integer",
            ),
            (
                "datasets.esc50.corpus",
                {"layout": "folders", "n_folds": 5, "n_fold": 5},
                r"corpus.n_fold means nothing to the layout folders: did you mean n_folds",
            ),
            (
                "slime.segment_seconds",
                5.0,
                r"segment_seconds is 5.0, but must be at most half of datasets.esc50.clip_seconds",
            ),
            ("slime.segment_seconds", 0.01, r"0.01, but .* at least one features.hop_length"),
            ("corruption.snr_db", [0, 5, 0], r"corruption.snr_db is \[0, 5, 0\], but"),
            ("corruption.snr_db", [100], r"corruption.snr_db\[0\] is 100, but must be at most 60"),
            ("corruption.slime_samples", 0, r"slime_samples is 0, but must be at least 1"),
            (
                "systems",
                {1: {}},
                r"^[^\n]*1 problem\n  - systems has the key 1, which YAML reads as",
            ),
            (
                "run",
                {"folds": [{True: 1}]},
                r"run.folds\[0\] has the key True, which YAML reads as b",
            ),
            (
                "datasets.esc50.dictionary.sparsity",
                float("nan"),
                r"datasets.esc50.dictionary.sparsity is nan, but must be a finite number",
            ),
            (
                "evaluation.thresholds",
                [0.1, float("inf")],
                r"evaluation.thresholds\[1\] is inf, but must be a finite number",
            ),
            ("machine", {"data": "data"}, r"machine.device is missing: auto is a GPU where"),
        ],
    )
    def test_what_is_wrong_is_named_with_its_rule(self, config, place, value, message):
        with pytest.raises(InputError, match=message):
            validate_config(changed(config, place, value))

    def test_all_problems_are_listed_at_once(self, config):
        wrong = changed(changed(config, "seed", "x"), "features.n_fft", 0)
        with pytest.raises(InputError, match=r"2 problems\n.*features.n_fft is 0.*\n.*seed is 'x'"):
            validate_config(wrong)

    def test_a_download_without_its_pins_is_refused(self, config):
        del config["datasets"]["esc50"]["download"]
        with pytest.raises(InputError, match=r"datasets.esc50.download is missing"):
            validate_config(config)

    def test_scratch_needs_no_entry_of_weights_and_takes_any_width(self, config):
        changes = {"weights": "scratch", "trainable": "all", "width": 0.5}
        for dataset in config["datasets"].values():
            dataset["classifier"] |= changes
        validate_config(config)

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            ("datasets.esc50.clip_seconds", 1.48),
            ("features.hop_length", 1),
            ("systems.l2i_att.settings.fidelity_weight", [[1, 0.5], [20, 1.0]]),
            ("datasets.esc50.classifier.width", 1),
            (
                "ablations.sanity",
                [
                    {"dataset": "esc50", "fold": 1, "system": name, "targets": []}
                    for name in ("l2i_att", "l2i_max")
                ],
            ),
        ],
    )
    def test_what_lies_just_within_the_rules_is_taken(self, config, place, value):
        validate_config(changed(config, place, value))

    def test_the_workflow_stops_with_the_message_and_no_traceback(self, tmp_path):
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")]
        command += ["--directory", str(tmp_path), "--dry-run", "--config", "sed=1"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        assert "error: configuration (config.yaml and its overlays): 1 problem\n  - sed is" in (
            done.stdout + done.stderr
        )
        assert "Traceback" not in done.stdout + done.stderr


def mutated(tree, path=()):
    """Every node of a configuration, replaced by what somebody may write there."""
    for odd in (None, 5, -1.5, "x", True, [], [1], {}, {"a": 1}, [[1]], [{"a": 1}], float("nan")):
        yield path, odd
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from mutated(value, (*path, key))


def with_value(tree, path, value):
    """The configuration with one node replaced."""
    if not path:
        return value
    return {**tree, path[0]: with_value(tree[path[0]], path[1:], value)}


@pytest.mark.parametrize("part", range(4))
def test_whatever_is_written_anywhere_is_taken_or_refused_in_words(part):
    config = written(PROJECT / "config/esc10.yaml")
    nodes = [(path, odd) for path, odd in mutated(config) if path]
    order = np.random.default_rng(0).permutation(len(nodes))[part::4][:250]
    for path, odd in (nodes[i] for i in order):
        try:
            validate_config(resolved(with_value(config, path, odd)))
        except InputError as error:
            text = str(error)
            assert "()" not in text and ": \n" not in text and not text.endswith(": "), text


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("machine.urls.esc_50", "https://a.mirror/", "machine.urls names esc_50, which workflow/"),
        ("systems.vibi.title", "FLINT", "title is 'FLINT', as that of systems.flint: choose"),
        ("systems.vibi.title", "classifier f", "title is 'classifier f', as that of base_f of"),
        (
            "systems.flint.settings.n_attributes",
            "dictionary/n_component",
            "systems.flint takes a setting from datasets.esc50, but there is no dictionary/n_co",
        ),
    ],
)
def test_names_that_lead_nowhere_or_stand_twice_are_refused(config, place, value, message):
    with pytest.raises(InputError, match=re.escape(message)):
        validate_config(changed(config, place, value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("corpora: [", "downloads.yaml, line 2 is no YAML"),
        ("", "the file is '', but must be of type object"),
        ("corpora: 5\nweights: {}", "corpora is '5', but must be of type object"),
        ("corpora: {}\nweights: {a: {git_blob: b}}", "weights.a.url is missing: https"),
        (
            "corpora: {}\nweights: {a: {url: 'file:a', git_blob: b}}",
            "weights.a.git_blob is 'b', but must match",
        ),
    ],
)
def test_a_broken_list_of_downloads_is_told_in_words(tmp_path, monkeypatch, text, message):
    (tmp_path / "downloads.yaml").write_text(text)
    monkeypatch.setattr(reading, "REFERENCE", tmp_path)
    with pytest.raises(InputError, match=re.escape(message)):
        load_reference.__wrapped__("downloads")


@pytest.mark.parametrize(
    ("slime", "snr_db", "methods", "remedy"),
    [
        (True, [], ["grad_cam"], "set listening.slime to false"),
        (False, [0], [], r"set corruption.snr_db to \[\]"),
        (False, [], ["slime"], "take slime out of evaluation.masks.methods"),
        (True, [0], [], r"set listening.slime to false and set corruption.snr_db to \[\]"),
        (False, [], ["grad_cam"], None),
    ],
)
def test_segments_must_fit_where_slime_is_asked(config, slime, snr_db, methods, remedy):
    config = changed(config, "slime.segment_seconds", 5.0)
    config = changed(config, "listening.slime", slime)
    config = changed(config, "corruption.snr_db", snr_db)
    config = changed(config, "evaluation.masks.methods", methods)
    if remedy:
        with pytest.raises(InputError, match=f"slime.segment_seconds .*hop_length; or {remedy}"):
            validate_config(config)
    else:
        validate_config(config)
