"""Pictures from what is kept beside an analysis: no file is opened and nothing is decoded."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Final

from PIL import Image, ImageDraw

from workers.errors import NotFound
from workers.model import MEL_COLUMNS, MEL_ROWS, PEAKS

_WIDTH, _HEIGHT = 1024, 256
_SCALE: Final = 6
_INK: Final = (94, 234, 212)
_STOPS: Final = (
    (0.0, (6, 8, 20)),
    (0.25, (46, 20, 94)),
    (0.5, (148, 38, 112)),
    (0.75, (242, 112, 66)),
    (1.0, (252, 246, 190)),
)
"""Dark to light through purple and orange: even in lightness, so that it also reads in grey."""


def pairs(peaks: bytes) -> list[tuple[float, float]]:
    """(lowest, highest) of each slice of the sound, -1 to 1, in time order. `NotFound` where none were kept."""
    if len(peaks) != 2 * PEAKS:
        raise NotFound("No picture was kept of this sample.")
    numbers = memoryview(peaks).cast("b")
    return [(round(numbers[2 * n] / 127, 4), round(numbers[2 * n + 1] / 127, 4)) for n in range(PEAKS)]


def waveform_svg(peaks: bytes) -> bytes:
    """The waveform as one filled outline, in the colour of the text around it."""
    points = " ".join(f"{x:g},{y:g}" for x, y in _outline(pairs(peaks), PEAKS, 100.0))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {PEAKS} 100" preserveAspectRatio="none" '
        f'role="img" aria-label="waveform"><polygon fill="currentColor" points="{points}"/></svg>\n'
    ).encode()


def waveform_png(peaks: bytes) -> bytes:
    """The waveform on a transparent ground."""
    big = Image.new("RGBA", (_WIDTH, _HEIGHT * 2), (*_INK, 0))
    ImageDraw.Draw(big).polygon(_outline(pairs(peaks), _WIDTH, _HEIGHT * 2.0), fill=(*_INK, 255))
    return _png(big.resize((_WIDTH, _HEIGHT), Image.Resampling.BOX))


def spectrogram_png(mel: bytes) -> bytes:
    """The mel spectrogram, low frequencies at the bottom. `NotFound` where none was kept."""
    if len(mel) != MEL_ROWS * MEL_COLUMNS:
        raise NotFound("No picture was kept of this sample.")
    grey = Image.frombytes("L", (MEL_COLUMNS, MEL_ROWS), mel).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    large = grey.resize((MEL_COLUMNS * _SCALE, MEL_ROWS * _SCALE), Image.Resampling.BICUBIC)
    large.putpalette(_palette())
    return _png(large)


def _outline(slices: list[tuple[float, float]], width: float, height: float) -> list[tuple[float, float]]:
    """A closed outline: along the highest from left to right, back along the lowest. A hair wide in silence."""
    step, middle = width / (len(slices) - 1), height / 2
    hair = height / 400
    above = [(n * step, middle - max(high, 0) * middle - hair) for n, (_, high) in enumerate(slices)]
    below = [(n * step, middle - min(low, 0) * middle + hair) for n, (low, _) in enumerate(slices)]
    return [(round(x, 2), round(y, 2)) for x, y in above + below[::-1]]


def _palette() -> list[int]:
    colours: list[int] = []
    for n in range(256):
        at = n / 255
        (low, dark), (high, light) = next(pair for pair in pairwise(_STOPS) if at <= pair[1][0])
        share = (at - low) / (high - low)
        colours += [round(a + (b - a) * share) for a, b in zip(dark, light, strict=True)]
    return colours


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False, compress_level=6)
    return out.getvalue()
