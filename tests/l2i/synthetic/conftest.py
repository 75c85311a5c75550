"""The demo's corpora, installed by the code that installs genuine ones."""

from __future__ import annotations

import pytest

from l2i.datasets.installation import install


@pytest.fixture(scope="session")
def installed(demo, tmp_path_factory):
    """Folder of the demo's corpora, as the genuine code installs them."""
    folder, pins = demo
    data = tmp_path_factory.mktemp("data")
    for name, place in {"esc50": "", "sonyc_ust": "sonyc_ust/", "openmic": ""}.items():
        url = f"{folder.as_uri()}/{place}{{name}}"
        install(data / name, pins[name]["files"], url=url)
    return data
