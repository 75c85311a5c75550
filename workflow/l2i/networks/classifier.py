"""The network under interpretation: a VGG-style network on log-mel spectrograms (Sec. IV-B.1).

Six convolutional blocks B1..B6, one more convolution, global max pooling and a linear layer. The
interpreter listens to block outputs *before* their max pooling, as the authors' code does.

Names and shapes
----------------
M : (B, n_frames, n_mels)             log-mel in dB; any n_frames >= MIN_FRAMES
hidden maps : (B, channels, time, mel) block outputs, by block name; time and mel halve per block

References
----------
A. Kumar, M. Khadkevich, C. Fuegen, "Knowledge transfer from weakly labeled audio using
convolutional neural network for sound events and scenes", ICASSP 2018.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from l2i.checks import InputError
from l2i.networks.explainable import MapShape

MIN_FRAMES = 128  # six poolings and a 2 x 2 convolution leave nothing of fewer
BLOCKS = {  # output channels of each convolution
    "B1": (16, 16),
    "B2": (32, 32),
    "B3": (64, 64),
    "B4": (128, 128),
    "B5": (256, 256),
    "B6": (512,),
}
EMBEDDING_CHANNELS = 1024
N_MELS = 128
DEPTHS = {"input": 0} | {block: depth for depth, block in enumerate(BLOCKS)}  # poolings before it


class Classifier(nn.Module):
    """The classifier f.

    Parameters
    ----------
    n_classes : int
        Number C of classes.
    width : float
        Factor on all channel counts of the trunk; 1 is the published network.
    head_units : int
        Units of the hidden layer of the head.
    dropout : float
        Probability before the last linear layer.
    multi_label : bool
        Whether classes are decided one by one, by a sigmoid and a threshold each, or against each
        other, by a softmax.

    Shape
    -----
    M : (B, n_frames, n_mels)
    logits : (B, C)
    """

    thresholds: Tensor  # (C,), of several labels a clip

    def __init__(
        self,
        n_classes: int,
        *,
        width: float = 1.0,
        head_units: int = 256,
        dropout: float = 0.2,
        multi_label: bool = False,
    ) -> None:
        super().__init__()
        self.architecture: dict[str, Any] = {
            "n_classes": n_classes,
            "width": width,
            "head_units": head_units,
            "dropout": dropout,
            "multi_label": multi_label,
        }
        if multi_label:
            self.register_buffer("thresholds", torch.full((n_classes,), 0.5))
        self.blocks = nn.ModuleDict()
        n_in = 1
        for name, channels in BLOCKS.items():
            layers: list[nn.Module] = []
            for n_out in channels:
                layers += _conv_bn_relu(n_in, scaled(n_out, width), kernel_size=3, padding=1)
                n_in = scaled(n_out, width)
            self.blocks[name] = nn.Sequential(*layers)
        n_embedding = scaled(EMBEDDING_CHANNELS, width)
        self.embedding = nn.Sequential(*_conv_bn_relu(n_in, n_embedding, kernel_size=2))
        self.head = nn.Conv2d(n_embedding, head_units, kernel_size=1)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(head_units, n_classes)

    @property
    def multi_label(self) -> bool:
        """Whether classes are decided one by one."""
        return self.architecture["multi_label"]

    @property
    def map_shapes(self) -> dict[str, MapShape]:
        """Shapes of the hidden maps."""
        return map_shapes(self.architecture["width"])

    def forward(self, M: Tensor) -> Tensor:
        """Class logits."""
        return self.classify(self.embed(M))

    def probabilities(self, logits: Tensor) -> Tensor:
        """Class probabilities of logits: the softmax, or a sigmoid for each class."""
        return logits.sigmoid() if self.multi_label else logits.softmax(-1)

    def decisions(self, logits: Tensor) -> Tensor:
        """Mask of the classes that logits (B, C) decide for: the largest, or all above theirs."""
        if self.multi_label:
            return logits.sigmoid() > self.thresholds
        return nn.functional.one_hot(logits.argmax(-1), logits.shape[-1]).bool()

    def hidden_maps(self, M: Tensor, taps: tuple[str, ...]) -> tuple[Tensor, dict[str, Tensor]]:
        """Class logits, and the outputs f_I(x) of the blocks named in `taps`; `input` is M."""
        h = M.unsqueeze(1)
        hidden = {"input": h} if "input" in taps else {}
        for name, block in self.blocks.items():
            h = block(h)
            if name in taps:
                hidden[name] = h
            h = halved(h)
        return self.classify(self.embedding(h)), hidden

    def embed(self, M: Tensor) -> Tensor:
        """Output of the convolutional trunk, (B, channels, time, mel)."""
        h = M.unsqueeze(1)
        for block in self.blocks.values():
            h = halved(block(h))
        return self.embedding(h)

    def classify(self, embedding: Tensor) -> Tensor:
        """Class logits from the trunk's output: the fully connected layers of the paper."""
        pooled = torch.relu(self.head(embedding)).amax((2, 3))
        return self.output(self.dropout(pooled))

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters after the convolutional blocks' trunk, all that ESC-50 fine-tunes."""
        yield from self.head.parameters()
        yield from self.output.parameters()


def map_shapes(width: float) -> dict[str, MapShape]:
    """Shapes of the hidden maps of a classifier of that width, from its input to its output."""
    channels = {"input": 1} | {name: scaled(each[-1], width) for name, each in BLOCKS.items()}
    return {
        name: MapShape(channels[name], N_MELS >> depth, 1 << depth)
        for name, depth in DEPTHS.items()
    }


def halved(h: Tensor) -> Tensor:
    """Largest of each 2 by 2 of a map; an odd frame at the end is left out."""
    if torch.compiler.is_exporting():  # max_pool2d would fix whether the number of frames is odd
        earlier, later = h[:, :, :-1:2], h[:, :, 1::2]
        return nn.functional.max_pool2d(torch.maximum(earlier, later), (1, 2))
    return nn.functional.max_pool2d(h, 2)


def scaled(channels: int, width: float) -> int:
    """Channel count at a given width, at least 1."""
    return max(1, round(channels * width))


def _conv_bn_relu(n_in: int, n_out: int, *, kernel_size: int, padding: int = 0) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, kernel_size, padding=padding)
    return [convolution, nn.BatchNorm2d(n_out), nn.ReLU(inplace=True)]


def from_audioset(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Trunk weights under our names, from the state dict that Kumar et al. published.

    Their layers are numbered through (1, 2, 4, 5, ... 16, 18), each a convolution `.0` and a batch
    norm `.1`; keys may carry the prefix of a data-parallel wrapper. Layer 19, the head of the 527
    AudioSet classes, is left out, as are batch-norm counters, which the old file lacks.
    """
    numbers = iter([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16])
    ours = {}
    for name, channels in BLOCKS.items():
        for i in range(len(channels)):
            ours[f"layer{next(numbers)}"] = f"blocks.{name}", 3 * i
    ours["layer18"] = "embedding", 0
    converted = {}
    for key, value in state.items():
        layer, part, kind = (str(key).removeprefix("module.").split(".") + ["", ""])[:3]
        if layer in ours and part.isdecimal() and kind != "num_batches_tracked":
            module, first = ours[layer]
            converted[f"{module}.{first + int(part)}.{kind}"] = value
    if missing := [
        module for module, first in ours.values() if f"{module}.{first}.weight" not in converted
    ]:
        raise InputError(
            f"the published weights lack layers that become {', '.join(missing)}: they are another "
            "network's; correct their pin and address"
        )
    return converted
