"""workflow/demo/make_corpus.py: corpora that are pinned and small."""

from __future__ import annotations

import pytest
import yaml

from configuration.reading import pins_of


@pytest.mark.parametrize("name", ["esc50", "sonyc_ust", "openmic"])
def test_it_makes_what_its_configuration_pins(project, demo, name):
    configured = yaml.safe_load((project / "config/demo.yaml").read_text())["datasets"]
    assert pins_of("corpora", configured[f"synthetic_{name}"]["download"]) == demo[1][name]


def test_it_fits_into_an_email(demo):
    sizes = {n: sum(f["size_bytes"] for f in pins["files"]) for n, pins in demo[1].items()}
    assert max(sizes.values()) < 25e6
