"""Bytes nobody made on purpose: the probe and the decoders end in sound or in a reason, and nothing dies of it."""

from __future__ import annotations

import os
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.broken import SUSPECT, in_memory, tried
from tests.broken_files import chunk, form, riff
from tests.mutants import bases, mutants
from workers.audio.decode import Decoder
from workers.audio.layout import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ, Probe
from workers.audio.probe import probe
from workers.errors import DecoderCrashed, DecodeTimeout, FileError

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="the files are in memory")

MAGIC = (
    *(b"RIFF\0\0\0\0WAVE", b"RIFX\0\0\0\0WAVE", b"RF64\xff\xff\xff\xffWAVEds64", b"FORM\0\0\1\0AIFF"),
    *(
        b"FORM\0\0\1\0AIFC",
        b"fLaC",
        b"OggS",
        b"ID3\x04\0\0\0\0\0\0",
        b"caff\0\1\0\0desc",
        b".snd",
        b"\0\0\0\x20ftypM4A ",
        b"wvpk",
    ),
    *(b"\x1aE\xdf\xa3", b"\xff\xfb\x90\x64", b"\xff\xf1\x50\x80", b"\x0b\x77", b""),
)
CHUNKS = (b"fmt ", b"data", b"LIST", b"JUNK", b"fact", b"acid", b"smpl", b"id3 ", b"ds64", bytes(4))
chunk_names = st.sampled_from(CHUNKS)
formats = st.builds(
    form,
    channels=st.integers(0, 65535),
    rate=st.integers(0, 2**32 - 1) | st.just(44100),
    bits=st.integers(0, 65535) | st.sampled_from([8, 16, 24, 32, 64]),
    tag=st.sampled_from([1, 3, 6, 7, 2, 0x11, 0x55, 0xFFFE]) | st.integers(0, 65535),
    align=st.integers(0, 65535) | st.none(),
)
bodies = formats | st.binary(max_size=80)
riffs = st.lists(
    st.tuples(chunk_names, bodies, st.none() | st.integers(0, 2**32 - 1)).map(
        lambda said: chunk(said[0], said[1], size=said[2])
    ),
    max_size=6,
).map(lambda parts: riff(*parts))
anything = st.tuples(st.sampled_from(MAGIC), st.binary(max_size=300)).map(b"".join)


def is_a_reason(error: FileError) -> bool:
    """One that a musician can read, of a decoder that lives."""
    dead = isinstance(error, DecoderCrashed | DecodeTimeout)
    return not dead and len(error.message) > 10 and not any(word in error.message for word in SUSPECT)


def probed(content: bytes) -> Probe | FileError:
    with in_memory(content) as fd:
        try:
            return probe(fd)
        except FileError as error:
            return error


def check_probe(content: bytes) -> None:
    found = probed(content)
    if isinstance(found, FileError):
        assert is_a_reason(found)
        return
    assert found.sample_rate_hz is None or MIN_RATE_HZ <= found.sample_rate_hz <= MAX_RATE_HZ
    assert found.channels is None or 1 <= found.channels <= MAX_CHANNELS
    if found.pcm is not None:
        assert 0 < found.pcm.offset < len(content)
        assert 0 < found.pcm.frames <= len(content)


@settings(max_examples=300, deadline=None)
@given(riffs)
def test_the_probe_reads_any_chunks_with_distrust(content: bytes) -> None:
    check_probe(content)


@settings(max_examples=300, deadline=None)
@given(anything)
def test_the_probe_reads_anything_behind_any_magic(content: bytes) -> None:
    check_probe(content)


@settings(max_examples=150, deadline=None)
@given(content=riffs | anything)
def test_whatever_is_decoded_is_finite_and_nothing_dies(decoder: Decoder, content: bytes) -> None:
    with in_memory(content) as fd:
        said = tried(decoder, fd, "x")
        assert is_a_reason(said) if isinstance(said, FileError) else np.isfinite(decoder.decode(fd, "x").y).all()


def test_damaged_files_of_every_format_cost_no_decoder_and_each_has_its_reason(decoder: Decoder) -> None:
    """The same walk, longer: ``python -m benchmarks.broken --mutants 100000``."""
    decoder.start()
    pid = decoder.helper_pid
    whole = bases()
    formats = {name.rpartition(".")[2] for name, _ in whole}
    assert formats >= {"wav", "aiff", "au", "flac", "ogg", "mp3", "m4a", "wv", "caf", "mka", "webm", "aac", "ac3"}
    for mutant in mutants(4 * len(whole), seed=3, among=whole):
        with in_memory(mutant.content) as fd:
            said = tried(decoder, fd, mutant.base)
        assert said == "ok" or is_a_reason(said), (mutant.base, said)
    assert decoder.helper_pid == pid


def test_mutants_are_the_same_for_each_seed_and_differ_from_what_they_were() -> None:
    whole = bases()
    first = [mutant.content for mutant in mutants(200, 5, whole)]
    assert first == [mutant.content for mutant in mutants(200, 5, whole)]
    assert first != [mutant.content for mutant in mutants(200, 6, whole)]
    assert len(set(first) - {content for _, content in whole}) > 180


def test_a_lying_size_allocates_nothing(decoder: Decoder) -> None:
    """4 GB of frames in a header cost what the file has."""
    huge = riff(chunk(b"fmt ", form(channels=64, rate=768_000, bits=64)), chunk(b"data", bytes(512), size=0xFFFFFFF0))
    with in_memory(huge) as fd:
        assert decoder.decode(fd, "x").y.shape == (1, 64)
    packed = 44100 << 44 | 7 << 41 | 23 << 36 | (1 << 36) - 1
    streaminfo = struct.pack(">HH", 4096, 4096) + bytes(6) + packed.to_bytes(8, "big")
    with in_memory(b"fLaC\x80\0\0\x22" + streaminfo + bytes(16 + 600)) as fd, pytest.raises(FileError):
        decoder.decode(fd, "x")
