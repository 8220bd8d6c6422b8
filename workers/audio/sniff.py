"""What a file is, by its first bytes; never by its name."""

from __future__ import annotations

from workers.audio import mpeg

UNSUPPORTED = {
    "W64": "Sony Wave64 is not read: its decoder has a known hole.",
    "ASF": "Windows Media Audio is not read.",
    "APE": "Monkey's Audio is not read.",
    "TTA": "True Audio is not read.",
    "MPC": "Musepack is not read.",
    "DSF": "DSD is not read.",
    "DFF": "DSD is not read.",
    "SHN": "Shorten is not read.",
    "AMR": "AMR is not read.",
    "PAF": "Ensoniq PARIS is not read.",
    "8SVX": "Amiga 8SVX is not read.",
    "SD2": "Sound Designer II is not read.",
    "REX2": "REX loops are not read: export them as WAV.",
    "SPEEX": "Speex is not read.",
}
"""Audio by its magic that is not read, and the sentence that says so."""

_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"fLaC", "FLAC"),
    (b"OggS", "OGG"),
    (b"wvpk", "WAVPACK"),
    (b"caff\x00\x01", "CAF"),
    (b".snd", "AU"),
    (b"dns.", "AU"),
    (b"\x1aE\xdf\xa3", "MATROSKA"),
    (b"riff\x2e\x91\xcf\x11", "W64"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "ASF"),
    (b"MAC ", "APE"),
    (b"TTA1", "TTA"),
    (b"MPCK", "MPC"),
    (b"MP+", "MPC"),
    (b"DSD ", "DSF"),
    (b"FRM8", "DFF"),
    (b"ajkg", "SHN"),
    (b"#!AMR", "AMR"),
    (b" paf", "PAF"),
    (b"fap ", "PAF"),
)
_RIFF_LIKE = {b"RIFF": "WAV", b"RIFX": "WAV", b"RF64": "RF64", b"BW64": "RF64"}
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide")
_LEADING_JUNK = 4096
"""A frame is looked for so far into a file that starts with something else, in bytes."""


def sniff(first_bytes: bytes) -> str | None:
    """Name the container that `first_bytes` (4 KB or more are enough) begin, or ``None`` where it is no audio we know.

    The name is in libsndfile's words where it has one ("WAV", "AIFF", "FLAC", "OGG", "MP3"). An ID3 tag is looked
    behind; one longer than `first_bytes` is taken for an MP3's.
    """
    if first_bytes[:3] == b"ID3":
        behind = first_bytes[id3_length(first_bytes) :]
        return (sniff(behind) if behind[:3] != b"ID3" else None) if behind else "MP3"
    return _by_magic(first_bytes) or _by_frames(first_bytes)


def id3_length(first_bytes: bytes) -> int:
    """Length of the ID3v2 tag at the start, in bytes; 0 where there is none."""
    if len(first_bytes) < 10 or first_bytes[:3] != b"ID3":
        return 0
    size = 0
    for byte in first_bytes[6:10]:
        size = size << 7 | byte & 0x7F
    return size + 10 + (10 if first_bytes[5] & 0x10 else 0)


def _by_magic(first: bytes) -> str | None:
    if first[:4] in _RIFF_LIKE:
        return _RIFF_LIKE[first[:4]] if first[8:12] == b"WAVE" else None
    if first[:4] == b"FORM":
        return {b"AIFF": "AIFF", b"AIFC": "AIFF", b"8SVX": "8SVX"}.get(first[8:12])
    if first[:4] == b"CAT " and first[8:12] == b"REX2":
        return "REX2"
    if first[4:8] in _MP4_BOXES and first[0] < 0x20:
        return "MP4"
    for magic, name in _STARTS:
        if first.startswith(magic):
            return "SPEEX" if name == "OGG" and first[28:36] == b"Speex   " else name
    return None


def _by_frames(first: bytes) -> str | None:
    found = mpeg.find_frame(first, _LEADING_JUNK)
    return found[1].container if found else None
