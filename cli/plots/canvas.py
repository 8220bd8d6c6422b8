"""Drawing with Pillow: panels with axes, pictures in colours, text."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw as Pen

WIDTH, HEIGHT = 1600, 1220
LEFT, RIGHT = 92, 40
INNER = WIDTH - LEFT - RIGHT
"""Columns of pixels in a panel."""

PAPER, INK, GREY, LINE = (255, 255, 255), (28, 28, 36), (112, 112, 124), (214, 214, 222)
BLUE, RED, GREEN = (58, 96, 160), (214, 40, 57), (20, 140, 84)

_COLOURS = np.array(
    [(8, 6, 24), (60, 18, 96), (128, 34, 122), (196, 62, 96), (240, 116, 66), (252, 186, 92), (252, 250, 200)], float
)
"""From nothing to the loudest: even steps of lightness, told apart in grey too."""


@dataclass(frozen=True, slots=True)
class Box:
    """A panel's place, in pixels."""

    top: int
    height: int

    @property
    def bottom(self) -> int:
        return self.top + self.height


class Canvas:
    """One page."""

    def __init__(self) -> None:
        from PIL import Image, ImageDraw

        self.image: Picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
        self.draw: Pen = ImageDraw.Draw(self.image)

    def text(self, x: float, y: float, said: str, *, size: int = 19, fill: Any = INK, anchor: str = "la") -> None:
        """Write; `anchor` as Pillow's. What the font has no letters for is written as `plain` says."""
        self.draw.text((x, y), plain(said), fill, _font(size), anchor=anchor)

    def heading(self, box: Box, said: str, explained: str) -> None:
        """A panel's name, and in grey what it shows."""
        self.text(LEFT, box.top - 8, said, size=20, anchor="ls")
        self.text(LEFT + 16 + _font(20).getlength(said), box.top - 8, explained, size=17, fill=GREY, anchor="ls")

    def picture(self, box: Box, values: NDArray[np.float64]) -> None:
        """Values from 0 to 1, (rows, columns), row 0 at the bottom."""
        from PIL import Image

        place = np.linspace(0, 1, len(_COLOURS))
        shades = np.stack([np.interp(values[::-1], place, _COLOURS[:, c]) for c in range(3)], axis=-1)
        drawn = Image.fromarray(np.round(shades).astype(np.uint8))
        self.image.paste(drawn.resize((INNER, box.height), Image.Resampling.BILINEAR), (LEFT, box.top))

    def frame(self, box: Box) -> None:
        """A line around a panel."""
        self.draw.rectangle((LEFT - 1, box.top - 1, LEFT + INNER, box.bottom), outline=LINE)

    def row_labels(self, box: Box, labels: Sequence[tuple[float, str]]) -> None:
        """Words beside a panel, each at a height from 0 (bottom) to 1."""
        for height, said in labels:
            y = box.bottom - height * box.height
            self.draw.line((LEFT - 7, y, LEFT - 2, y), fill=GREY)
            self.text(LEFT - 11, y, said, size=16, fill=GREY, anchor="rm")

    def time_axis(self, box: Box, duration_s: float, *, labels: bool) -> None:
        """Ticks below a panel."""
        step = tick_step(duration_s)
        for n in range(int(duration_s / step + 1e-6) + 1):
            x = column(n * step, duration_s)
            self.draw.line((x, box.bottom + 1, x, box.bottom + 7), fill=GREY)
            if labels:
                self.text(x, box.bottom + 11, clock(n * step, step), size=16, fill=GREY, anchor="ma")

    def verticals(self, box: Box, times: Sequence[float], duration_s: float, fill: Any, width: int = 1) -> None:
        """Lines through a panel."""
        for at in times:
            x = column(at, duration_s)
            self.draw.line((x, box.top, x, box.bottom - 1), fill=fill, width=width)


def plain(said: str) -> str:
    """Text in the letters that Pillow's own font has, ASCII and a dot: others without their accents, else ``?``."""
    parts = (c for c in unicodedata.normalize("NFKD", said) if not unicodedata.combining(c))
    return "".join(c if (c.isascii() and c.isprintable()) or c == "·" else "?" for c in parts)


def column(at_s: float, duration_s: float) -> float:
    """Where a moment lies, in pixels from the left."""
    return LEFT + min(1.0, at_s / max(duration_s, 1e-9)) * (INNER - 1)


def tick_step(duration_s: float) -> float:
    """Seconds between ticks: at most a dozen of them, at numbers that people count in."""
    wanted = duration_s / 12
    steps = [m * 10**e for e in range(-5, 1) for m in (1, 2, 5)] + [10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600]
    return next((float(step) for step in steps if step >= wanted), 7200.0)


def clock(at_s: float, step: float) -> str:
    """``2.5 s``, ``20 ms``, ``1:30``."""
    if step < 0.1:
        return f"{1000 * at_s:g} ms"
    if step < 5:
        return f"{at_s:.{0 if step >= 1 else 1}f} s"
    minutes, seconds = divmod(round(at_s), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}" if minutes >= 60 else f"{minutes}:{seconds:02d}"


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)
