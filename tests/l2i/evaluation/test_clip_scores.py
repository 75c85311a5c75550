"""l2i.evaluation.clip_scores: rows of clips, of networks whose answers are known."""

import numpy as np
import pytest
import torch

from helpers.known_networks import CLASSES, FRONT_END, Listener, known_pair, tones
from l2i.evaluation.clip_scores import classification_rows, fidelity_rows, tagging_rows


@pytest.fixture
def pair():
    return known_pair()


@pytest.fixture
def tagging_pair():
    """The same, deciding for each class by itself."""
    return known_pair(multi_label=True)


def followed(pair, M):
    logits, interpretation = pair.explain(M, M.shape[1])
    return fidelity_rows(pair.classifier, logits, interpretation.logits, CLASSES)


class TestRowsPerClip:
    def test_classification_rows_say_who_was_right(self):
        logits = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
        rows = classification_rows(logits, torch.tensor([0, 0]))
        assert rows["correct"].tolist() == [1, 0]
        assert rows["probability"][0] == pytest.approx(np.exp(2) / (np.exp(2) + 1))
        assert rows["cross_entropy"][1] == pytest.approx(np.log(1 + np.e))

    def test_fidelity_rows_of_the_oracle(self, pair):
        x = torch.stack([tones(80_000), tones(80_000, low=0.0)])
        S = FRONT_END.stft(x)
        rows = followed(pair, FRONT_END.log_mel(S))
        assert rows["classifier_class"].tolist() == [0, 1]
        assert rows["interpreter_class"].tolist() == [0, 0]
        assert rows["rank"].tolist() == [1, 3]

    def test_tagging_rows_hold_every_class_and_leave_unobserved_labels_empty(self):
        classifier = Listener(multi_label=True)
        classifier.thresholds.copy_(torch.tensor([0.9, 0.5, 0.5]))
        logits = torch.tensor([[1.0, 1.0, -1.0]])
        targets = torch.tensor([[1.0, 0.0, float("nan")]])
        decisions = classifier.decisions(logits)
        (row,) = tagging_rows(logits, decisions, targets, CLASSES).to_dict("records")
        assert (row["label_low"], row["label_not low"]) == (1, 0)
        assert np.isnan(row["label_never"])
        assert row["probability_low"] == pytest.approx(1 / (1 + np.exp(-1)))
        assert [row[f"decided_{name}"] for name in CLASSES] == [0, 1, 0]

    def test_tagging_fidelity_rows_of_the_oracle(self, tagging_pair):
        x = torch.stack([tones(80_000), tones(80_000, low=0.0)])
        S = FRONT_END.stft(x)
        rows = followed(tagging_pair, FRONT_END.log_mel(S))
        assert rows["decided_low"].tolist() == [1, 0]
        assert rows["classifier_low"][0] > 0.99 and rows["classifier_low"][1] < 0.01
        assert (rows["interpreter_low"] > 0.7).all()  # z_1 w_1 + z_2 w_2 = 1.05
        assert "rank" not in rows
