"""What a job costs, by its rule, the configuration and its wildcards, before it has ever run.

Each kind of job has an amount of work (`WORK`): what it does in terms of the sizes of its data and
networks. What a unit of it takes was measured: workflow/reference/costs.yaml, which
``python -m documentation costs`` fits to the records of runs and nobody edits. What jobs write and
keep in memory follows from their shapes.

Rules that stand in no table below are tables, figures and pages: they take their start alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from configuration.ablations import varied
from configuration.operations import (
    GIGA,
    MAP_ELEMENTS,
    TRAINING,
    classifier_pass,
    dictionary_product,
    factorization_sweep,
    psi_pass,
)
from configuration.reading import load_reference
from configuration.sizes import Sizes, sizes_of
from configuration.systems import settings_on

TAPS = ("B4", "B5", "B6")
SYSTEM = "train_system"  # whose jobs differ by the module of the system
WAV_BYTES = 4  # a sample of float32
CODE_SWEEPS = 20  # of a sparse code over all components: the most of one round
SHUFFLED_STAGES = 7  # of classifiers, of which measures are taken anew


class Estimate(NamedTuple):
    """What one job takes. Seconds are without those in which Snakemake and Python start."""

    core_seconds: float  # on CPUs alone: seconds with one thread
    gpu_seconds: float  # instead of these where it has a GPU; 0: it uses none
    memory_bytes: float  # peak of the process
    disk_bytes: float  # what it leaves
    scratch_bytes: float  # what it keeps at hand as it runs: in memory where it fits, else on disk
    beyond: float  # its work by that of the largest job that was measured; 0: none ever was


class Demands(NamedTuple):
    """What a job does and keeps, before anything was measured."""

    kind: str  # jobs whose unit of work takes as long
    work: float  # units of `WORK`
    pieces: float  # steps of learning, or sounds that are made: `PIECES`
    cells: float  # of a batch, see `batch_cells`
    scratch: float  # bytes at hand
    written: float | None  # bytes it leaves, where these follow from its shapes


NOTHING = {"start": 0, "a_cell": 0}


class Job(NamedTuple):
    """What decides the cost of one job, looked up."""

    config: dict[str, Any]  # with what a variant changes
    sizes: Sizes
    wildcards: Mapping[str, str]
    settings: dict[str, Any]  # of its system; empty where it has none
    module: str | None

    @property
    def dataset(self) -> dict[str, Any]:
        """What the configuration says of its data set."""
        return self.config["datasets"][self.wildcards["dataset"]]

    @property
    def width(self) -> float:
        """Factor on the channels of its networks."""
        return self.dataset["classifier"]["width"]

    @property
    def n_components(self) -> int:
        """Components of its dictionary."""
        return self.dataset["dictionary"]["n_components"]

    def classify(self) -> float:
        """Work of a clip through the classifier."""
        return classifier_pass(self.sizes.n_frames, self.width)

    def interpret(self) -> float:
        """Work of a clip through Psi and the product with W."""
        sizes, n = self.sizes, self.n_components
        taps = self.settings.get("taps", TAPS)
        return psi_pass(sizes.n_frames, self.width, n, taps) + dictionary_product(
            sizes.n_frames, sizes.n_bins, n
        )

    def n_heard(self) -> int:
        """Clips that are interpreted on an occasion."""
        occasion = self.wildcards.get("occasion", "listening")
        if occasion == "stimuli":
            return self.config["listening_test"]["n_stimuli"]
        listening = self.dataset["listening"]
        n = listening if isinstance(listening, int) else math.ceil(len(listening) / 2)
        return 2 * n if occasion == "corrupted" else n


# ------------------------------------------------------------------ work, in 10^9 multiplications


def _decisions(job: Job, n_clips: int) -> int:
    return n_clips * job.sizes.n_decided


def _cache_features(job: Job) -> float:
    return job.sizes.n_clips * job.sizes.n_frames * job.sizes.n_bins / GIGA


def _learn_dictionary(job: Job) -> float:
    how, sizes = job.dataset["dictionary"], job.sizes
    n_components, n_clips, n_parts = how["n_components"], sizes.n_train, 1
    if how["clips_per_class"] is not None:
        n_parts = sizes.n_classes
        n_clips = min(how["clips_per_class"], sizes.n_train // 2)
        n_components = n_components // n_parts + how["n_noise_components"]
    sweep = factorization_sweep(n_clips * sizes.n_frames, sizes.n_bins, n_components)
    return n_parts * how["n_iter"] * sweep


def _train_classifier(job: Job) -> float:
    how = job.dataset["classifier"]
    passes = TRAINING * how["n_epochs"] if how["trainable"] == "all" else 1
    return job.sizes.n_train * passes * job.classify()


def _train_system(job: Job) -> float:
    return _n_trainings(job) * TRAINED[job.module](job) if job.module in TRAINED else 0.0


def _n_trainings(job: Job) -> int:
    """Once for each combination of a grid, and with the one that is taken."""
    grid = job.config["systems"][job.wildcards["system"]].get("grid", {})
    n = math.prod(map(len, grid.values()))
    return n + 1 if n > 1 else 1


def _posthoc(job: Job) -> float:
    n_epochs = job.settings["n_epochs"]
    return job.sizes.n_train * (job.classify() + TRAINING * n_epochs * job.interpret())


def _by_design(job: Job) -> float:
    each = job.classify() + job.interpret()
    return job.sizes.n_train * TRAINING * job.settings["n_epochs"] * each


def _flint(job: Job) -> float:
    return _by_design(job) if job.settings["joint"] else _posthoc(job)


def _vibi(job: Job) -> float:
    passes = 1 + TRAINING * job.settings["n_epochs"] * job.settings["n_draws"]
    return job.sizes.n_train * passes * job.classify()


def _apnet(job: Job) -> float:
    how = job.settings
    n_frames = job.sizes.seconds * how["sample_rate"] / how["hop_length"]
    cells = n_frames * how["n_mels"] * how["n_channels"] ** 2 * 25
    return job.sizes.n_train * TRAINING * how["n_epochs"] * cells / GIGA


def _sweeps_of_slices(job: Job) -> float:
    """NMF of spectra that are averaged in slices; codes in it are pieces, see `_codes`."""
    tried = job.config["systems"][job.wildcards["system"]]["grid"]["n_components"]
    sweep = factorization_sweep(_n_slices(job), job.sizes.n_bins, sum(tried) // len(tried))
    return job.settings["n_iter"] * sweep


def _n_slices(job: Job) -> int:
    return job.sizes.n_train * (job.sizes.n_frames // job.settings["slice_frames"])


TRAINED: dict[str, Callable[[Job], float]] = {
    "posthoc": _posthoc,
    "by_design": _by_design,
    "flint": _flint,
    "vibi": _vibi,
    "apnet": _apnet,
    "nmf_linear": _sweeps_of_slices,
    "tdl_nmf": _sweeps_of_slices,
}


def _one_pass(job: Job) -> float:
    return job.sizes.n_test * (job.classify() + job.interpret())


def _measure_classifier(job: Job) -> float:
    return job.sizes.n_test * job.classify()


def _measure_faithfulness(job: Job) -> float:
    how = job.config["evaluation"]
    draws = how["random"]["n_draws"] * len(how["random"]["baselines"])
    removals = len(how["thresholds"]) + draws
    heard = _decisions(job, job.sizes.n_test) * removals
    return heard * job.classify() + 2 * _one_pass(job)


def _of_masks(job: Job) -> int:
    how = job.config["evaluation"]["masks"]
    n_clips = min(how["n_clips"], job.sizes.n_test)
    return _decisions(job, n_clips) * len(how["operators"]) * (2 + 2 * how["n_steps"])


def _measure_masks(job: Job) -> float:
    return _of_masks(job) * job.classify()


def _measure_masks_of_classifier(job: Job) -> float:
    how = job.config["evaluation"]["masks"]
    n_clips = min(how["n_clips"], job.sizes.n_test)
    found = how["slime_samples"] + TRAINING * job.config["attributions"]["n_steps"]
    measured = _of_masks(job) * len(how["methods"])
    return (measured + _decisions(job, n_clips) * found) * job.classify()


def _mixtures(job: Job) -> int:
    return job.sizes.n_test * 2 * len(job.config["corruption"]["snr_db"])


def _measure_corruption(job: Job) -> float:
    return _mixtures(job) * (job.classify() + job.interpret())


def _measure_corruption_references(job: Job) -> float:
    return _mixtures(job) * job.config["corruption"]["slime_samples"] * job.classify()


def _measure_sanity(job: Job) -> float:
    return _networks_of_sanity(job) * (_one_pass(job) + _measure_classifier(job))


def _networks_of_sanity(job: Job) -> int:
    """The intact one and, stage by stage, shuffled ones, each heard with and without something."""
    return 1 + SHUFFLED_STAGES * job.config["evaluation"]["sanity"]["n_draws"]


def _interpret_clips(job: Job) -> float:
    return job.n_heard() * job.sizes.n_decided * job.sizes.seconds * job.n_components / 1000


def _explain_by_slime(job: Job) -> float:
    n = job.n_heard() * job.sizes.n_decided
    return n * job.config["slime"]["n_samples"] * job.classify()


def _explain_by_attribution(job: Job) -> float:
    n = job.n_heard() * job.sizes.n_decided
    return n * TRAINING * (job.config["attributions"]["n_steps"] + 1) * job.classify()


def _sound_prototypes(job: Job) -> float:
    return float(job.n_components)


def _compose_atlas(job: Job) -> float:
    n_clips = min(400, job.sizes.n_test)
    return n_clips * (job.classify() + job.interpret()) + job.n_components


def _hours(job: Job) -> float:
    return job.sizes.n_clips * job.sizes.seconds / 3600


def _project_relevances(job: Job) -> float:
    return _decisions(job, job.sizes.n_test) / 1000


WORK: dict[str, Callable[[Job], float]] = {
    "index_dataset": _hours,
    "cache_features": _cache_features,
    "learn_dictionary": _learn_dictionary,
    "train_classifier": _train_classifier,
    SYSTEM: _train_system,
    "measure_classifier": _measure_classifier,
    "measure_fidelity": _one_pass,
    "measure_system": _one_pass,
    "measure_faithfulness": _measure_faithfulness,
    "measure_relevances": _one_pass,
    "project_relevances": _project_relevances,
    "measure_masks": _measure_masks,
    "measure_masks_of_classifier": _measure_masks_of_classifier,
    "measure_corruption": _measure_corruption,
    "measure_corruption_references": _measure_corruption_references,
    "measure_sanity": _measure_sanity,
    "interpret_clips": _interpret_clips,
    "explain_by_slime": _explain_by_slime,
    "explain_by_attribution": _explain_by_attribution,
    "sound_prototypes": _sound_prototypes,
    "compose_atlas": _compose_atlas,
    "choose_stimuli": _project_relevances,
}

# ------------------------------------------------------------------ what each piece costs besides


def _learning_steps(job: Job, how: Mapping[str, Any]) -> float:
    return how["n_epochs"] * math.ceil(job.sizes.n_train / how["batch_size"])


def _steps_of_system(job: Job) -> float:
    if job.module in ("nmf_linear", "tdl_nmf"):
        return _n_trainings(job) * _codes(job)
    if "batch_size" not in job.settings:
        return 0.0
    return _n_trainings(job) * _learning_steps(job, job.settings)


def _codes(job: Job) -> float:
    """10^9 multiplications of the sparse codes of all slices: products with W, then sweeps.

    Task-driven, an epoch codes all slices, then each anew in a step, and solves for a gradient.
    """
    tried = job.config["systems"][job.wildcards["system"]]["grid"]["n_components"]
    of_slice = sum(n * (job.sizes.n_bins + CODE_SWEEPS * n) for n in tried) / len(tried)
    times = 1 + TRAINING * job.settings.get("n_epochs", 0)
    return times * _n_slices(job) * of_slice / GIGA


def _sounds(job: Job, n_sounds: float) -> float:
    """10^3 seconds of sound that are taken apart and put together."""
    return n_sounds * job.sizes.seconds / 1000


def _sounds_of_faithfulness(job: Job) -> float:
    how = job.config["evaluation"]
    n = len(how["thresholds"]) + how["random"]["n_draws"] * len(how["random"]["baselines"])
    return _sounds(job, _decisions(job, job.sizes.n_test) * n)


def _sounds_of_classifier(job: Job) -> float:
    how = job.config["evaluation"]["masks"]
    found = _decisions(job, min(how["n_clips"], job.sizes.n_test)) * how["slime_samples"]
    return _sounds(job, _of_masks(job) * len(how["methods"]) + found)


PIECES: dict[str, Callable[[Job], float]] = {
    "train_classifier": lambda job: _learning_steps(job, job.dataset["classifier"]),
    SYSTEM: _steps_of_system,
    "measure_faithfulness": _sounds_of_faithfulness,
    "measure_masks": lambda job: _sounds(job, _of_masks(job)),
    "measure_masks_of_classifier": _sounds_of_classifier,
    "measure_sanity": lambda job: _sounds(job, _networks_of_sanity(job) * job.sizes.n_test),
    "measure_corruption": lambda job: _sounds(job, _mixtures(job)),
    "measure_corruption_references": lambda job: _sounds(
        job, _mixtures(job) * job.config["corruption"]["slime_samples"]
    ),
}

# ------------------------------------------------------------------ bytes at hand, and written


def _training_bytes(job: Job) -> float:
    """What a training keeps at hand: hidden maps, or embeddings; see l2i.training."""
    sizes = job.sizes
    if job.module in ("posthoc", "flint") and not job.settings.get("joint"):
        return sizes.n_train * sizes.n_frames * MAP_ELEMENTS * job.width * 2  # bfloat16
    if job.module in ("nmf_linear", "tdl_nmf"):
        return sizes.n_train * sizes.magnitude_bytes / job.settings["slice_frames"]
    if job.module == "apnet":
        how = job.settings
        n_frames = sizes.seconds * how["sample_rate"] / how["hop_length"]
        return sizes.n_train * 4 * n_frames * how["n_mels"]
    return 0.0


def _activations_bytes(job: Job) -> float:
    """H of all columns of a part, and a copy of those of a sweep."""
    how, sizes = job.dataset["dictionary"], job.sizes
    n_components, n_clips = how["n_components"], sizes.n_train
    if how["clips_per_class"] is not None:
        n_components = n_components // sizes.n_classes + how["n_noise_components"]
        n_clips = min(how["clips_per_class"], sizes.n_train // 2)
    return 4 * n_components * n_clips * sizes.n_frames


SCRATCH: dict[str, Callable[[Job], float]] = {
    SYSTEM: _training_bytes,
    "learn_dictionary": _activations_bytes,
}


def _features_bytes(job: Job) -> float:
    return 2 * 128 + job.sizes.n_clips * (job.sizes.magnitude_bytes + job.sizes.mel_bytes)


def _sounds_bytes(job: Job) -> float:
    """Clip, interpretation, remainder and components, about a quarter of the dictionary."""
    n_sounds = 3 + min(20, job.n_components // 4)
    samples = job.sizes.seconds * job.config["features"]["sample_rate"]
    return job.n_heard() * job.sizes.n_decided * n_sounds * WAV_BYTES * samples


def batch_cells(job: Job) -> float:
    """What of a batch passes through networks: 10^3 frames, by their width."""
    if job.module is None or "batch_size" not in job.settings:
        batch = job.dataset["classifier"]["batch_size"]
    else:
        batch = job.settings["batch_size"]
    return batch * job.sizes.n_frames * job.width / 1000


WRITTEN: dict[str, Callable[[Job], float]] = {
    "cache_features": _features_bytes,
    "interpret_clips": _sounds_bytes,
    "explain_by_slime": _sounds_bytes,
}


# ------------------------------------------------------------------ estimates


class Costs:
    """Costs of the jobs of one configuration.

    Parameters
    ----------
    config : dict
        The configuration, as rules have it.
    measured : mapping, optional
        By default what workflow/reference/costs.yaml holds.
    """

    def __init__(
        self,
        config: dict[str, Any],
        measured: Mapping[str, Any] | None = None,
        sizes: Mapping[str, Sizes] | None = None,
    ) -> None:
        self._config = config
        self._kinds = (load_reference("costs") if measured is None else measured)["kinds"]
        self._sizes = dict(sizes or {})
        self._known: dict[tuple, Estimate] = {}

    def of(self, rule: str, wildcards: Mapping[str, str]) -> Estimate:
        """What such a job takes.

        Parameters
        ----------
        rule : str
            The name of its rule.
        wildcards : mapping of str to str
            Those of the job; `dataset` at least where the rule works on clips.
        """
        key = (rule, *sorted(wildcards.items()))
        if key not in self._known:
            demands = self.demands(rule, wildcards)
            self._known[key] = _taken(self._kinds.get(demands.kind, {}), demands)
        return self._known[key]

    def demands(self, rule: str, wildcards: Mapping[str, str]) -> Demands:
        """What a job does and keeps, by the sizes of its data alone."""
        if rule not in WORK or "dataset" not in wildcards:
            return Demands(rule, 0.0, 0.0, 0.0, 0.0, None)
        job = self.job(wildcards)
        return Demands(
            f"{rule}/{job.module}" if rule == SYSTEM else rule,
            work=WORK[rule](job),
            pieces=PIECES[rule](job) if rule in PIECES else 0.0,
            cells=batch_cells(job),
            scratch=SCRATCH[rule](job) if rule in SCRATCH else 0.0,
            written=WRITTEN[rule](job) if rule in WRITTEN else None,
        )

    def job(self, wildcards: Mapping[str, str]) -> Job:
        """What decides the cost of a job, looked up."""
        dataset, system = wildcards["dataset"], wildcards.get("system")
        config = varied(self._config, dataset, wildcards.get("variant", "default"))
        if dataset not in self._sizes:
            self._sizes[dataset] = sizes_of(config, dataset)
        entry = config["systems"].get(system)
        settings = settings_on(config, dataset, system) if entry and system else {}
        module = entry["module"] if entry else None
        return Job(config, self._sizes[dataset], wildcards, settings, module)


def _taken(kind: Mapping[str, Any], demands: Demands) -> Estimate:
    cpu, gpu, memory = kind.get("cpu"), kind.get("gpu"), kind.get("memory", NOTHING)
    written = demands.written
    return Estimate(
        core_seconds=_seconds(cpu or gpu, demands),
        gpu_seconds=_seconds(gpu, demands),
        memory_bytes=memory["start"] + memory["a_cell"] * demands.cells + demands.scratch,
        disk_bytes=kind.get("disk_bytes", 0) if written is None else written,
        scratch_bytes=demands.scratch,
        beyond=demands.work / cpu["largest"] if cpu and cpu["largest"] else 0.0,
    )


def _seconds(measured: Mapping[str, float] | None, demands: Demands) -> float:
    if measured is None:
        return 0.0
    pieces = measured["a_piece"] * demands.pieces
    return measured["start"] + pieces + measured["a_unit"] * demands.work
