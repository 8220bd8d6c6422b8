"""FFmpeg's errors in words for people who make music: its own are for those who write decoders."""

from __future__ import annotations

import errno

import av.error

_SAID = {
    errno.EINVAL: "A number in it makes no sense to the decoder.",
    errno.EIO: "It breaks off in the middle.",
    errno.EPIPE: "It breaks off in the middle.",
    errno.ENOSYS: "It uses a part of its format that is not read.",
    errno.ERANGE: "A number in it is out of range.",
    errno.EDOM: "A number in it is out of range.",
}


def in_words(error: av.error.FFmpegError) -> str:
    """Why FFmpeg gave up; one sentence, and never its own."""
    if isinstance(error, av.error.EOFError):
        return "It ends before its sound begins."
    if isinstance(error, av.error.InvalidDataError):
        return "What its header promises is not there."
    if isinstance(error, av.error.PatchWelcomeError | av.error.DecoderNotFoundError):
        return "It uses a part of its format that is not read."
    return _SAID.get(error.errno or 0, "Nothing in it makes sense to the decoder.")
