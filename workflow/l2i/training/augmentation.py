"""What is done to training clips, each time anew: random crops, mixtures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from l2i.networks.classifier import MIN_FRAMES


@dataclass(frozen=True)
class Augmentation:
    """What is done to training clips, each time anew.

    `crop` is the share of a clip that is seen, cut at a random place of the clip closed to a
    ring: 1 is a circular shift in time. `mixup` is the parameter of the symmetric beta distribution
    of mixing weights (Zhang et al. 2018), 0 for none.
    """

    crop: float
    mixup: float


def augment(M: Tensor, target: Tensor, augmentation: Augmentation) -> tuple[Tensor, Tensor]:
    """A random crop of every clip, mixed with another clip of the batch.

    Parameters
    ----------
    M : Tensor, shape (B, n_frames, n_mels)
        Log-mel.
    target : Tensor, shape (B, C)
        Class probabilities. A mixture is known to hold what both of its parts are known to hold.
    """
    B, n_frames, n_mels = M.shape
    frames = crop_frames(B, n_frames, augmentation.crop, M.device)
    M = M.gather(1, frames[:, :, None].expand(-1, -1, n_mels))
    if augmentation.mixup:
        share = torch.distributions.Beta(augmentation.mixup, augmentation.mixup).sample().item()
        other = torch.randperm(B, device=M.device)
        M = share * M + (1 - share) * M[other]
        target = share * target + (1 - share) * target[other]
    return M, target


def crop_frames(n_clips: int, n_frames: int, share: float, device: torch.device) -> Tensor:
    """Frame numbers, (n_clips, n_seen), of one random crop of every clip closed to a ring."""
    n_seen = min(n_frames, max(MIN_FRAMES, round(share * n_frames)))
    start = torch.randint(n_frames, (n_clips, 1), device=device)
    return (start + torch.arange(n_seen, device=device)) % n_frames


def random_crop(log_mel: Tensor, log_magnitude: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The same random crop of both spectrograms, another one for every clip.

    Parameters
    ----------
    log_mel, log_magnitude : Tensor, shape (B, n_frames, n_mels) and (B, n_bins, n_frames)
    share : float
        Of a clip closed to a ring, above 0 and up to 1; see
        :func:`l2i.training.augmentation.crop_frames`.
    """
    frames = crop_frames(len(log_mel), log_mel.shape[1], share, log_mel.device)
    return (
        log_mel.gather(1, frames[:, :, None].expand(-1, -1, log_mel.shape[2])),
        log_magnitude.gather(2, frames[:, None].expand(-1, log_magnitude.shape[1], -1)),
    )
