"""What a run is called is a word of its own in all paths, whatever else is called so."""

from __future__ import annotations

import pytest

from helpers.loaded_workflow import loaded_workflow


@pytest.mark.parametrize("name", ["slime", "default"])
def test_a_run_that_is_called_as_a_part_of_paths_has_all_results_in_its_folder(name):
    with loaded_workflow(f"name={name}") as workflow:
        outputs = {str(path) for rule in workflow.rules for path in rule.output}
    assert outputs
    assert {path for path in outputs if not path.startswith(f"results/{name}/")} == set()
