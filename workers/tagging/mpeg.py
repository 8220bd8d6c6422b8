"""MP3 and AAC streams: the ID3v2 tag before the sound, and the tempo nowhere else."""

from __future__ import annotations

from workers.audio.chunks import Bytes
from workers.errors import NotWritable
from workers.tagging import id3
from workers.tagging.marks import Marks
from workers.tagging.splice import Splice, replaced


def mpeg(data: Bytes, marks: Marks) -> Splice:
    """The file with our frames in the ID3v2 tag at its start, made if there is none.

    Raises
    ------
    NotWritable
        If that tag is damaged, or longer than the file.
    """
    size = id3.length(data.at(0, 10))
    if size > data.size:
        raise NotWritable("Its ID3 tag claims more bytes than the file has.")
    if not size and data.at(0, 3) == b"ID3":
        raise NotWritable("Its ID3 tag is damaged.")
    old = data.at(0, size)
    return replaced(data.size, [(0, size, id3.rewritten(old, marks))])
