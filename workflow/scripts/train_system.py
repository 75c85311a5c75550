"""Train a system on one fold: an interpreter of its classifier, or one that predicts by itself."""

from harness import perform
from l2i.runtime import precision_name
from l2i.systems.loading import origin_of, save_system, system_module
from l2i.tables import write_rows
from l2i.training.model_selection import select_and_train
from l2i.training.opening import open_recordings, open_task
from l2i.training.task import Task


def train_system(
    task: Task,
    path_to_classifier: list[str],
    path_to_model: str,
    path_to_history: str,
    *,
    module: str,
    system_settings: dict,
    grid: dict,
    selection: dict | None,
    system: str,
    variant: str,
    run: str,
    sha256_of: dict[str, str],
) -> dict:
    """Write the network of one fold and run; facts: precision, cost, what the system tells."""
    trained = select_and_train(
        system_module(module).train,
        task,
        system_settings,
        grid,
        seed=int(run),
        selection=selection,
    )
    origin = origin_of(module, system, variant, run, path_to_classifier, sha256_of)
    save_system(path_to_model, trained.network, **origin, **task.fold.identity)
    write_rows(trained.history, path_to_history)
    seconds, waiting = trained.history["seconds"], trained.history["seconds_waiting"]
    return {
        "precision": precision_name(task.precision),
        "n_parameters": sum(p.numel() for p in trained.network.parameters()),
        "n_epochs": len(trained.history),
        "seconds_per_epoch": float(seconds.median()),
        "share_waiting": float(waiting.sum() / max(seconds.sum(), 1e-9)),
        **trained.facts,  # a system may count its own parameters
    }


if __name__ == "__main__":
    perform(snakemake, train_system, recordings=open_recordings, task=open_task)
