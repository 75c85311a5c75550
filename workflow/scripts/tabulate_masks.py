"""Further measures of faithfulness, under each removal; and whether removals agree."""

from harness import perform


def tabulate_masks(
    path_to_systems: list[str],
    path_to_slime: list[str],
    path_to_table: str,
    path_to_page: str,
    *,
    datasets: list[str],
    systems: list[str],
    methods: list[str],
    operators: list[str],
    titles: dict[str, str],
    statistics: dict,
    seed: int,
) -> None:
    """Write every measure of every system and method, as csv and as a page."""
    raise NotImplementedError


if __name__ == "__main__":
    perform(snakemake, tabulate_masks)
