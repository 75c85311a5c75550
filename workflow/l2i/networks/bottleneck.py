"""What VIBI is made of: chunks of a log-mel, relaxed draws of them, and the two small networks.

The explainer turns a log-mel into a distribution p over its d chunks, time before frequency. What a
mask leaves of the log-mel is all that the approximator hears. See l2i.systems.vibi.

Names and shapes
----------------
x      : (B, 1, T, F)  standardised log-mel, cropped to whole chunks
logits : (B, d)        of p
masks  : (..., B, d)   share of each chunk that is kept, 0 to 1

References
----------
C. Maddison, A. Mnih, Y. W. Teh, "The concrete distribution: a continuous relaxation of discrete
random variables", ICLR 2017.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

EXPLAINER_CHANNELS = (16, 32, 64, 64)
APPROXIMATOR_LAYERS = ((32, 4), (64, 4), (128, 2))  # channels, and the max pooling after them
DROPOUT = 0.2
SLICE = 2  # clips
SMALLEST = torch.finfo(torch.float32).tiny


class Grid(NamedTuple):
    """How clips are cut: frames and mel bands of a chunk."""

    frames: int
    mels: int

    def counts(self, n_frames: int, n_mels: int) -> tuple[int, int]:
        """Whole chunks in a log-mel, along time and along frequency."""
        return n_frames // self.frames, n_mels // self.mels


class Explainer(nn.Module):
    """Logits of the distribution over chunks, (B, 1, T, F) to (B, d), time before frequency."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid
        layers, n_in = [], 1
        for n_out in EXPLAINER_CHANNELS:
            layers += [
                nn.Conv2d(n_in, n_out, kernel_size=3, padding=1),
                nn.BatchNorm2d(n_out),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, ceil_mode=True),  # no frame of the last chunk is left out
            ]
            n_in = n_out
        self.blocks = nn.Sequential(*layers)
        self.score = nn.Conv2d(n_in, 1, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        """See above; the score is linear, so it may come before the average over a chunk."""
        cells = self.score(self.blocks(x)).squeeze(1)  # (B, time, frequency)
        n_frames, n_mels = self.grid.counts(*x.shape[-2:])
        time = averaging(n_frames, self.grid.frames, cells.shape[1]).to(cells)
        frequency = averaging(n_mels, self.grid.mels, cells.shape[2]).to(cells)
        return (time @ cells @ frequency.T).flatten(1).float()


class Approximator(nn.Module):
    """What f might say of what is left of a clip, (B, 1, T, F) to (B, C)."""

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        layers, n_in = [], 1
        for n_out, pooling in APPROXIMATOR_LAYERS:
            layers += [
                nn.Conv2d(n_in, n_out, kernel_size=5, padding=2),
                nn.MaxPool2d(pooling, ceil_mode=True),  # first: the same, and far less for the ReLU
                nn.ReLU(inplace=True),
            ]
            n_in = n_out
        # A full-size map of the first convolution comes to hundreds of megabytes a batch. On a CPU
        # a few clips at a time stay in the cache: a third less time.
        self.first, self.following = nn.Sequential(*layers[:3]), nn.Sequential(*layers[3:])
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(n_in, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class logits."""
        parts = x.split(SLICE) if x.device.type == "cpu" else [x]
        h = self.following(torch.cat([self.first(part) for part in parts]))
        return self.output(self.dropout(h.mean((2, 3)) + h.amax((2, 3)))).float()


def start_weights(layer: nn.Module) -> None:
    """Start as the public code: Xavier's uniform weights, with the gain of a ReLU, and no bias."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        nn.init.xavier_uniform_(layer.weight, gain=nn.init.calculate_gain("relu"))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def averaging(n_chunks: int, chunk: int, n_cells: int) -> Tensor:
    """Matrix (n_chunks, n_cells) that averages the explainer's cells over chunks.

    A cell stands for as many frames or bands as four poolings leave of one another, and counts by
    how many of them lie in the chunk. A product with it has a deterministic gradient on GPUs.
    """
    cell = 2 ** len(EXPLAINER_CHANNELS)
    edges, cuts = torch.arange(n_chunks + 1) * chunk, torch.arange(n_cells + 1) * cell
    ends = torch.minimum(edges[1:, None], cuts[1:])
    starts = torch.maximum(edges[:-1, None], cuts[:-1])
    return (ends - starts).clamp(min=0) / chunk


def draw_masks(
    logits: Tensor, n_kept: int, *, n_draws: int, temperature: float, published: bool = False
) -> Tensor:
    """Relaxed masks (n_draws, B, d): the largest share a chunk has in k relaxed one-hot draws.

    A relaxed draw is the softmax of (log p + Gumbel noise) / temperature; its largest entry is
    distributed as p.

    Parameters
    ----------
    logits : Tensor, shape (B, d)
        Of the distribution p over chunks.
    n_kept, n_draws : int
        Draws to a mask, and masks to a clip.
    temperature : float
        Above 0; near 0, draws are one-hot.
    published : bool
        As in the public code: log-probabilities take the place of probabilities and are normalised
        to a sum of 1, so that the less probable a chunk the more often it is drawn; and no gradient
        reaches the logits.
    """
    log_p = logits.log_softmax(-1)
    if published:
        inverted = log_p.detach() / log_p.detach().sum(-1, keepdim=True)
        log_p = inverted.clamp(min=SMALLEST).log()
    shape = (n_draws, n_kept, *log_p.shape)
    noise = -torch.empty(shape, device=log_p.device).exponential_().clamp(min=SMALLEST).log()
    return ((log_p + noise) / temperature).softmax(-1).amax(1)


def information(logits: Tensor) -> Tensor:
    """KL(p || uniform) over d chunks per clip, in nats: log d less the entropy of p."""
    log_p = logits.log_softmax(-1)
    return (log_p.exp() * log_p).sum(-1) + math.log(logits.shape[-1])


def top_chunks(logits: Tensor, n_kept: int) -> Tensor:
    """Mask (B, d) of the k most probable chunks."""
    return torch.zeros_like(logits).scatter(-1, logits.topk(n_kept).indices, 1.0)


def masked(x: Tensor, masks: Tensor, grid: Grid) -> Tensor:
    """What masks (..., B, d) leave of x (B, 1, T, F): (... B, 1, T, F), the leading ones merged."""
    n_frames, n_mels = grid.counts(*x.shape[-2:])
    chunks = x.reshape(len(x), n_frames, grid.frames, n_mels, grid.mels)
    shares = masks.reshape(*masks.shape[:-1], n_frames, 1, n_mels, 1).to(x.dtype)
    return (chunks * shares).reshape(-1, *x.shape[1:])
