"""Figure of one interpretation: a clip, the soft mask, and both parts that it is divided into."""

from harness import perform
from l2i.disk import write_text
from l2i.names import class_title
from l2i.reporting.figures.interpretation import interpreted_clip
from l2i.reporting.figures.saving import save
from l2i.tables import read_rows, to_csv


def draw_interpretation(
    path_to_cells: str,
    path_to_clip: str,
    path_to_svg: str,
    path_to_png: str,
    path_to_table: str,
    *,
    of: dict[str, str],
    titles: dict[str, str],
    caption: dict[str, str],
) -> None:
    """Draw the cells, and write them; `of` names data set and system."""
    table = read_rows(path_to_cells, columns=["time_s", "frequency_hz", "mask"])
    heading = titles[of["dataset"]]
    for clip, name, probability in read_rows(path_to_clip).itertuples(index=False):
        decided = f"{class_title(name)}, probability {probability:.2f}"
        heading += f", clip {clip}; {titles[of['system']]}: {decided}"
    write_text(path_to_table, to_csv(table))
    save(interpreted_clip(table, heading=heading), path_to_svg, path_to_png, caption)


if __name__ == "__main__":
    perform(snakemake, draw_interpretation)
