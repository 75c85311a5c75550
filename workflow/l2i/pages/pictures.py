"""PNG of arrays: spectrograms in colours, and masks to be laid over them."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from PIL import Image

N_COLOURS = 64
N_GREYS = 8
# Ends of the colours in Oklab, (lightness, chroma, hue in degrees): from a dark blue violet by red
# to a light yellow. Lightness rises evenly, so that equal steps of level look equal, in whatever
# theme and to eyes that tell few colours apart.
DARK, LIGHT = (0.12, 0.03, 285.0), (0.95, 0.11, 455.0)
LARGEST_CHROMA = 0.17  # halfway


def coloured(levels: np.ndarray) -> bytes:
    """A picture of levels between 0 and 1, (n_rows, n_columns), the first row at the bottom."""
    index = np.round(levels[::-1] * (N_COLOURS - 1)).astype(np.uint8)
    return _png(index, b"".join(map(bytes, colours().tolist())))


def shade(mask: np.ndarray) -> bytes:
    """What hides a picture where a mask is 0, and shows it where it is 1; rows as in `coloured`.

    Black of `N_GREYS` opacities.
    """
    index = np.round(np.clip(mask[::-1], 0, 1) * (N_GREYS - 1)).astype(np.uint8)
    opacity = bytes(round(255 * (1 - i / (N_GREYS - 1))) for i in range(N_GREYS))
    return _png(index, bytes(3 * N_GREYS), opacity)


@cache
def colours() -> np.ndarray:
    """Colours from silent to loud, (N_COLOURS, 3), sRGB of 8 bits."""
    t = np.linspace(0, 1, N_COLOURS)
    lightness, chroma, hue = (a + t * (b - a) for a, b in zip(DARK, LIGHT, strict=True))
    chroma = chroma + 4 * t * (1 - t) * (LARGEST_CHROMA - (DARK[1] + LIGHT[1]) / 2)
    angle = np.radians(hue)
    return _from_oklab(np.stack([lightness, chroma * np.cos(angle), chroma * np.sin(angle)]))


def _from_oklab(lab: np.ndarray) -> np.ndarray:
    """Oklab, (3, n), as sRGB of 8 bits, (n, 3): B. Ottosson, "A perceptual color space", 2020."""
    to_cones = [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
    to_linear = [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
    linear = np.clip(to_linear @ (to_cones @ lab) ** 3, 0, 1)
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return np.round(255 * encoded).astype(np.uint8).T


def _png(index: np.ndarray, palette: bytes, opacity: bytes | None = None) -> bytes:
    image, file = Image.fromarray(index, "P"), io.BytesIO()
    image.putpalette(palette)
    how = {} if opacity is None else {"transparency": opacity}
    bits = (len(palette) // 3 - 1).bit_length()
    image.save(file, "PNG", optimize=True, bits=1 << (bits - 1).bit_length(), **how)
    return file.getvalue()
