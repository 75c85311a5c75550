"""The first page of a run, of files as its jobs leave them."""

import csv
import re

import pytest

from helpers.project import load_script
from l2i.checks import InputError

HEAD = "table,system,dataset,metric,condition,mean,spread,n,low,high"
HEAD += ",paper_dataset,paper_mean,paper_spread,paper_n,bound,gap,verdict\n"
ROWS = "4,l2i_att,esc50,accuracy,,80,1,5,,,esc50,{paper},1,5,,{gap},{verdict}\n"
COST = "dataset,system,device,n,seconds_of_all\nesc50,l2i_att,4 threads of A CPU,2,1800\n"
VERDICTS = ["agrees"] * 4 + ["differs"] * 2 + ["no spread"] + ["missing"] * 3
CAPTIONS = [
    {"name": name, "title": f"{title}: words", "text": "One.\n\nTwo."}
    for name, title in [("table_4", "Table IV"), ("table_5", "Table V"), ("figure_2", "Figure 2")]
    + [("cost", "Table S8")]
]


@pytest.fixture
def compose(tmp_path):
    run = tmp_path / "results/trial"
    for name in ("tables", "figures", "provenance", "listen"):
        (run / name).mkdir(parents=True)
    lines = [ROWS.format(paper=70, gap=10, verdict=verdict) for verdict in VERDICTS]
    (run / "tables/table_4.csv").write_text(HEAD + "".join(lines))
    (run / "tables/cost.csv").write_text(COST)
    for name in ("table_4", "cost"):
        (run / f"provenance/{name}.html").touch()

    def call(git=None):
        files = [f"tables/{name}.{f}" for name in ("table_4", "cost") for f in ("csv", "html")]
        load_script("compose_index")(
            path_to_tables=[str(run / each) for each in files],
            path_to_drawn=[str(run / f"figures/figure_2.{suffix}") for suffix in ("svg", "png")],
            path_to_provenance=[str(run / "provenance"), str(run / "ratings/provenance")],
            path_to_pages=[str(run / "listen"), str(run / "deviations.html")],
            path_to_page=str(run / ".part-index.html"),
            record_of=lambda path: {"git": git},
            run={
                "name": "trial",
                "datasets": [{"title": "ESC-50", "of_paper": "ESC-50", "comparable": True}],
                **{"systems": ["L2I w/ ATT"], "folds": "1", "seeds": "0"},
            },
            titles={"l2i_att": "L2I w/ ATT", "esc50": "ESC-50"},
            captions=CAPTIONS,
            printed=[
                {"table": 4, "system": name, "dataset": "esc50", "metric": "accuracy"}
                for name in ("l2i_att", "flint")
            ],
            pages=[{"title": "Listening", "about": "x"}, {"title": "Ledger", "about": "y"}],
        )
        return (run / ".part-index.html").read_text(encoding="utf-8")

    call.tables = run / "tables"
    return call


def test_counts_on_the_page_are_those_of_the_csv(compose):
    html = compose()
    with (compose.tables / "table_4.csv").open() as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    row = re.search(r'<tr><th scope="row">.*Table IV.*</tr>', html)[0]
    counts = [verdicts.count(name) for name in ("agrees", "differs", "no spread")]
    assert re.findall(r"<td>(\d*)</td>", row) == [str(n) for n in [*counts, 1]]  # flint is lacking
    assert "Of the 2 numbers that the paper measures and prints, 1 have no counterpart" in html


def test_costs_are_those_of_the_csv(compose):
    assert "Training 2 models took 2.00 core hours on CPUs" in compose()  # 4 x 1800 s


def test_addresses_are_of_the_folder_of_the_run(compose):
    links = {*re.findall(r'(?:href|src)="([^"#]*)"', compose())}
    assert links == {
        *("tables/table_4.csv", "tables/table_4.html", "tables/cost.csv", "tables/cost.html"),
        *("figures/figure_2.svg", "figures/figure_2.png", "listen/index.html", "deviations.html"),
        *("provenance/table_4.html", "provenance/cost.html", ".run/configuration.json"),
    }


def test_what_has_no_files_was_not_run(compose):
    assert "Table V, words: not at all." in compose()


@pytest.mark.parametrize("dirty", [True, False])
def test_the_code_is_that_of_the_records(compose, dirty):
    html = compose({"commit": "b" * 40, "dirty": dirty})
    assert html.count("b" * 40) == 1
    assert ("with changes that no commit holds" in html) == dirty


def test_a_damaged_table_is_refused(compose):
    (compose.tables / "cost.csv").write_bytes(b"\xff\xfe,\n")
    with pytest.raises(InputError, match=r"cost\.csv is no table"):
        compose()
