"""l2i.training.feed: rows of clips, from a file or from memory of the device."""

import numpy as np
import torch
from torch.testing import assert_close

from l2i.training import feed as feed_module
from l2i.training.feed import Feed


def test_rows_of_a_feed_are_clips_of_the_data_set():
    arrays = {"a": np.arange(40.0).reshape(10, 4), "b": np.arange(10.0).reshape(10, 1)}
    feed = Feed(arrays, np.array([7, 3, 5]), "cpu")
    batch = feed[torch.tensor([2, 0])]
    assert batch["a"].tolist() == arrays["a"][[5, 7]].tolist()
    assert batch["b"].flatten().tolist() == [5.0, 7.0]
    assert feed.place == "memory map"


def test_what_a_device_holds_is_what_was_in_the_file(monkeypatch):
    # No GPU here: main memory stands for it, under another name of the same device.
    monkeypatch.setattr(feed_module, "place_for", lambda n_bytes, device: device)
    arrays = {"a": np.random.default_rng(0).random((70, 3)).astype(np.float32)}
    rows = np.arange(1, 70, 2)
    feed = Feed(arrays, rows, "cpu:0")
    assert feed.place == "cpu:0"
    batch = torch.tensor([33, 0, 32])
    assert_close(feed[batch]["a"], torch.from_numpy(arrays["a"][rows[batch.numpy()]]))
