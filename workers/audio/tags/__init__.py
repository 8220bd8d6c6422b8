"""What a file's tags say of tempo and key: ID3, Vorbis comments, MP4, APEv2, CAF and RIFF INFO.

A tag is what somebody, or somebody's program, believed: evidence like the file's name. Tags are read with distrust.
Sizes lie, nothing here allocates what a header asks for, pictures are stepped over unread, and bytes that make no
sense say nothing.
"""

from __future__ import annotations

from workers.audio.chunks import Bytes, Chunk
from workers.audio.tags import ape, caf, id3, info, mp4, vorbis
from workers.audio.tags.fields import Tags, meaning


def tags_of_chunks(data: Bytes, found: dict[bytes, Chunk]) -> Tags:
    """The tags in a WAV's or AIFF's chunks: ``id3 `` first, then ``LIST`` INFO."""
    pairs: list[tuple[str, str]] = []
    for name in (b"id3 ", b"ID3 "):
        if name in found:
            pairs += id3.fields(data, found[name].offset)
    if b"LIST" in found:
        pairs += info.fields(data, found[b"LIST"])
    return meaning(pairs)


def tags_of_stream(data: Bytes, container: str, start: int) -> Tags:
    """The tags of any other file, whose own header begins at `start`, behind an ID3 tag or none."""
    pairs = list(id3.fields(data, 0)) if start else []
    if container in _READERS:
        pairs += _READERS[container](data, start)
    if container in ("MP3", "WAVPACK"):
        pairs += ape.fields(data)
    return meaning(pairs)


_READERS = {
    "FLAC": vorbis.flac_fields,
    "OGG": vorbis.ogg_fields,
    "MP4": mp4.fields,
    "CAF": caf.fields,
}
