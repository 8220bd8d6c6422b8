"""Everything libsndfile does not read, or not safely, by FFmpeg: Opus, AAC, ALAC, ADPCM, Matroska, WavPack, AC-3, CAF.

FFmpeg is told which container it is and which codecs it may use, is given no protocol, and reads through a
descriptor: nothing in a file can make it open another. Priming frames of AAC, MP3 and Opus are dropped where
the file states them; a raw ADTS stream cannot, so there the sound starts some 1024 to 2112 frames late.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import IO

import av
import av.logging
import numpy as np
from numpy.typing import NDArray

from workers.audio.layout import Probe, check_channels, check_rate
from workers.audio.outcome import Outcome, Room, silence_bad
from workers.audio.words import in_words
from workers.errors import DecodeFailed, NotAudio, UnsupportedFormat

CODECS = (
    "aac,alac,opus,vorbis,flac,mp3float,mp3,mp2float,mp2,mp1float,mp1,wavpack,ac3,eac3,gsm_ms,"
    "adpcm_ms,adpcm_ima_wav,adpcm_ima_qt,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_s64le,pcm_s64be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be,pcm_mulaw,pcm_alaw"
)
_SUBTYPES = {
    "mp3": "MPEG_LAYER_III",
    "mp3float": "MPEG_LAYER_III",
    "mp2": "MPEG_LAYER_II",
    "mp2float": "MPEG_LAYER_II",
    "adpcm_ima_wav": "IMA_ADPCM",
    "adpcm_ima_qt": "IMA_ADPCM",
    "adpcm_ms": "MS_ADPCM",
    "gsm_ms": "GSM610",
    "pcm_mulaw": "ULAW",
    "pcm_alaw": "ALAW",
    "pcm_f32le": "FLOAT",
    "pcm_f32be": "FLOAT",
    "pcm_f64le": "DOUBLE",
    "pcm_f64be": "DOUBLE",
}
_BLOCK = 1 << 15
_BUFFER = 1 << 18
_PADDING = 8192
"""Most frames that a stated length takes off the end: what more is there is sound."""
_REFUSALS = 8
"""Errors of the container, not of a packet in it, before the rest is left."""

av.logging.set_level(av.logging.PANIC)


def decode_ffmpeg(fd: int, probe: Probe, room: Room) -> Iterator[Outcome]:
    """Decode the first audio stream into `room`, block by block.

    Broken packets are left out; what can be decoded is kept.

    Raises
    ------
    NotAudio
        If there is no audio stream.
    UnsupportedFormat
        If its codec is none that is read.
    DecodeFailed
        If FFmpeg refuses the file or not one frame comes out of it.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "rb", buffering=0, closefd=False) as file:
        yield from decode_stream(file, probe, room)


def decode_stream(file: IO[bytes], probe: Probe, room: Room) -> Iterator[Outcome]:
    """The same for a seekable object open for reading."""
    options = {"protocol_whitelist": "none", "codec_whitelist": CODECS}
    try:
        with av.open(
            file, format=probe.demuxer, options=options, buffer_size=_BUFFER, metadata_errors="replace"
        ) as container:
            if not container.streams.audio:
                raise NotAudio("It has no audio track.")
            if not isinstance(container, av.container.InputContainer):
                raise DecodeFailed
            yield from _read(container, container.streams.audio[0], probe, room)
    except av.error.FFmpegError as error:
        _reraise_out_of_memory(error)
        raise DecodeFailed(in_words(error)) from error
    except (ValueError, OverflowError) as error:  # what the binding makes of values that cannot be
        raise DecodeFailed("A number in it makes no sense to the decoder.") from error


def _read(
    container: av.container.InputContainer, stream: av.AudioStream, probe: Probe, room: Room
) -> Iterator[Outcome]:
    codec = stream.codec_context
    if codec is None:
        raise UnsupportedFormat("Sound in a codec that is not read.")
    codec.thread_count = 1
    packets = _Packets(container, stream)
    writer = _Writer(room, lambda rate: _total_frames(container, stream, rate), probe)

    def outcome(*, complete: bool) -> Outcome:
        return Outcome(
            frames=writer.frames,
            channels=writer.channels,
            sample_rate_hz=writer.rate,
            subtype=probe.subtype or _subtype(codec.name, writer.sample_bits),
            total_frames=None if complete else writer.total,
            complete=complete,
            damaged=packets.broken or writer.changed or (complete and writer.shorter_than_stated),
            bad_samples=silence_bad(writer.out[: writer.frames * writer.channels]),
        )

    for frame in packets.frames():
        if writer.full:  # and here comes more
            writer.flush()
            yield outcome(complete=False)
            writer.begin()
        if not writer.take(frame):
            break
    writer.flush()
    while writer.fifo.samples:
        yield outcome(complete=False)
        writer.begin()
        writer.flush()
    if not writer.done + writer.frames:
        raise DecodeFailed("Nothing could be decoded.")
    writer.trim()
    yield outcome(complete=True)


class _Packets:
    """The stream's frames, with broken packets left out."""

    def __init__(self, container: av.container.InputContainer, stream: av.AudioStream) -> None:
        self.container = container
        self.stream = stream
        self.broken = False

    def frames(self) -> Iterator[av.AudioFrame]:
        refused = 0
        demuxed = self.container.demux(self.stream)
        while refused < _REFUSALS:
            try:
                packet = next(demuxed, None)
            except av.error.EOFError:
                return
            except (av.error.FFmpegError, IndexError) as error:
                _reraise_out_of_memory(error)  # IndexError: a packet of a stream that begins in the middle of the file
                # A generator that raised is finished: go on with a new one from where the container stands.
                self.broken, refused = True, refused + 1
                demuxed = self.container.demux(self.stream)
                continue
            if packet is None:
                return
            yield from self._decoded(packet)

    def _decoded(self, packet: av.Packet[av.AudioStream]) -> list[av.AudioFrame]:
        try:
            return list(packet.decode())
        except av.error.EOFError:
            return []
        except av.error.FFmpegError as error:
            _reraise_out_of_memory(error)
            self.broken = True
            return []


def _reraise_out_of_memory(error: Exception) -> None:
    if isinstance(error, MemoryError):
        raise error


class _Writer:
    """Frames of any sample format, interleaved as float32 into one block of `room` after the other."""

    def __init__(self, room: Room, total_frames: Callable[[int], int | None], probe: Probe) -> None:
        self.room, self.probe = room, probe
        self.total_frames = total_frames
        self.fifo = av.AudioFifo()
        self.out = np.zeros(0, np.float32)
        self.frames = self.done = self.channels = self.rate = self.most = self.sample_bits = 0
        self.total: int | None = None
        self.stated: int | None = None
        self.changed = False

    def take(self, frame: av.AudioFrame) -> bool:
        """Add a frame; false where it is not of the same stream any more."""
        channels = len(frame.layout.channels)
        if not self.rate:
            self.channels, self.rate = check_channels(channels), check_rate(frame.sample_rate)
            self.sample_bits = frame.format.bits
            self.total = self.total_frames(self.rate)
            self.stated = _stated_frames(self.probe, self.total)
            self.begin()
        elif (channels, frame.sample_rate) != (self.channels, self.rate):
            self.changed = True  # a second song chained behind the first
            return False
        frame.pts = None  # gaps between packets are no business of the samples
        self.fifo.write(frame)
        if self.fifo.samples >= _BLOCK:
            self.flush()
        return True

    def begin(self) -> None:
        """Go on in a new block."""
        self.done, self.frames = self.done + self.frames, 0
        self.out = self.room.block(self.rate, self.channels)
        self.most = self.out.size // self.channels
        past = self.done + self.most - self.stated if self.stated else 0
        if 0 < past <= _PADDING and past < self.most:
            self.most -= past  # what `trim` takes off lies in one block

    @property
    def full(self) -> bool:
        """Whether nothing more goes into this block."""
        return self.rate > 0 and self.frames + self.fifo.samples >= self.most

    def flush(self) -> None:
        """Write what is held back, as far as the block goes."""
        count = min(self.fifo.samples, self.most - self.frames)
        held = self.fifo.read(count, True) if count else None
        if held is None:
            return
        start = self.frames * self.channels
        _interleave(held, self.out[start : start + count * self.channels].reshape(count, self.channels))
        self.frames += count

    def trim(self) -> None:
        """Drop what fills up the last packet: a loop is as long as was stated, to the frame."""
        past = self.done + self.frames - self.stated if self.stated else 0
        if 0 < past <= _PADDING:
            self.frames = max(0, self.frames - past)

    @property
    def shorter_than_stated(self) -> bool:
        """Whether much less came than was stated; containers round, by a packet or two."""
        return self.total is not None and self.done + self.frames < 0.98 * self.total - self.rate / 10


def _stated_frames(probe: Probe, total: int | None) -> int | None:
    """The exact length, from containers that state one: MP4's edit list, WAV's ``fact`` chunk."""
    return {"MP4": total, "WAV": probe.frames}.get(probe.container)


def _interleave(frame: av.AudioFrame, target: NDArray[np.float32]) -> None:
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, target.shape[1]).T
    with np.errstate(over="ignore", invalid="ignore"):
        target[:] = samples.T[: len(target)]
    if samples.dtype.kind != "f":
        if samples.dtype.kind == "u":
            target -= np.float32(128)
        target *= np.float32(2.0 ** (1 - 8 * samples.dtype.itemsize))


def _total_frames(container: av.container.InputContainer, stream: av.AudioStream, rate: int) -> int | None:
    if stream.duration and stream.time_base:
        return round(float(stream.duration * stream.time_base) * rate)
    if container.duration and container.duration > 0:
        return round(container.duration / av.time_base * rate)
    return None


def _subtype(codec: str, bits: int) -> str:
    if codec.startswith("pcm_") and codec not in _SUBTYPES:
        return f"PCM_{bits}"
    return _SUBTYPES.get(codec, codec.upper())
