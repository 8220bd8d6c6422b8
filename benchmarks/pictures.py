"""The pictures in ``docs/explanation``: ``python -m benchmarks.pictures`` draws them again, from synthesised loops."""

from __future__ import annotations

import tempfile
from pathlib import Path

import soundfile
from PIL import Image

from cli.plots.run import plotting
from cli.synth import drums, harmony, tones
from cli.synth.dsp import SR, Signal, finished

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
_DRUMS = {"k": "X...x...X..x....", "s": "....X.......X...", "h": "x.x.x.x.x.x.x.x."}


def main() -> None:
    """Draw all."""
    with tempfile.TemporaryDirectory() as folder:
        for name, y in {"loop": _loop(), "chords": _chords()}.items():
            path = Path(folder) / f"{name}.wav"
            soundfile.write(path, y, SR, subtype="PCM_16")
            row = plotting(Path(folder) / "drawn", [str(path)])(str(path))
            with Image.open(row["plot"]) as picture:
                small = picture.resize((picture.width * 3 // 4, picture.height * 3 // 4), Image.Resampling.LANCZOS)
                small.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
                    FOLDER / f"{name}.png", optimize=True
                )


def _loop() -> Signal:
    """Four bars of drums at 122 BPM."""
    return finished(drums.groove(_DRUMS, 122, 16, "picture"))


def _chords() -> Signal:
    """C major, A minor, F and G major, struck on each beat over their roots, at 96 BPM."""
    scale, degrees = harmony.Scale.named("C major"), (0, 5, 3, 4)
    struck = [d for d in degrees for _ in range(4)]
    high = tones.line(tones.keys, harmony.chords(scale, struck, 1.0, size=3), 96, 16, "chords")
    low = tones.line(tones.bass, harmony.roots(scale, degrees, 4.0, ((0.0, 1.5, 0), (2.0, 1.5, 0))), 96, 16, "roots")
    return finished(high + 0.35 * low)


if __name__ == "__main__":
    main()
