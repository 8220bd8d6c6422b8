"""Files with tags, as another program (FFmpeg) writes them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.broken_files import tone


def tagged(kind: str, codec: str, tags: dict[str, str], options: dict[str, str] | None = None) -> bytes:
    """What FFmpeg writes with these tags."""
    sample = {"flac": "s16", "pcm_s16be": "s16", "pcm_s16le": "s16", "libmp3lame": "fltp", "libopus": "flt"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made")  # a real file: some containers are written in two passes
        with av.open(str(path), "w", format=kind, options=options or {}) as container:
            container.metadata.update(tags)
            stream: Any = container.add_stream(codec, rate=48000)
            stream.layout = "stereo"
            stream.codec_context.format = sample.get(codec, "fltp")
            resampler = av.AudioResampler(format=stream.codec_context.format, layout="stereo", rate=48000)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(tone(0.3, 2, 48000).T), format="fltp", layout="stereo"
            )
            frame.rate = 48000
            for ready in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(ready))
            container.mux(stream.encode(None))
        return path.read_bytes()
