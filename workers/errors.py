"""Every error of SampleMind's own. Data are attributes; the sentence is one a musician understands.

SampleMindError
├── ParameterError            a kernel or a function was called with what it cannot take
├── FileError                 one file could not be analysed; its neighbours do not notice
│   ├── Vanished              it is no longer there
│   ├── Unreadable            we may not read it, or the disk could not
│   ├── NotARegularFile       a FIFO, a device, a socket, a folder
│   ├── SymlinkLoop           a link that leads to itself
│   ├── OutsideRoot           it is not below its library root
│   ├── EmptyFile             no bytes
│   ├── TooLarge              more bytes than allowed
│   ├── ChangedWhileReading   somebody wrote to it
│   ├── BucketMissing         its library root is in a bucket that is not there
│   ├── AccessRefused         the store of its bucket does not let us
│   ├── ObjectArchived        its store would have to bring it back from an archive first
│   ├── FetchTimedOut         it took too long to come
│   ├── NotDelivered          its store answers, but does not give it out
│   ├── NotAudio              its bytes are of something else
│   ├── UnsupportedFormat     audio we do not read
│   ├── BrokenHeader          its header contradicts itself or cannot be true
│   ├── DecodeFailed          the decoder gave up
│   ├── EmptyAudio            a header and no sound
│   ├── NoFiniteSamples       every sample is NaN or infinite
│   ├── DecodeTimeout         the decoder took too long and was killed
│   ├── DecoderCrashed        the decoder died on it
│   ├── OutOfMemory           it wants more memory than a file may have
│   ├── AnalysisFailed        the analysis itself failed: a bug, please report
│   └── KilledWorker          it took a worker down each time it was tried
├── TaggingError              a file could not be written to; it is as it was
│   ├── NotWritable           its structure or its format leaves no way to write safely
│   ├── WriteRefused          it, its folder or the disk does not let us
│   ├── ChangedSince          it is no longer the file that was analysed, or that we wrote
│   └── SoundDiffers          the new file would not have sounded the same: a bug, please report
├── StoreError                a database said no
│   ├── StoreUnavailable      it cannot be reached now; try again
│   │   └── BucketAway        the server of a bucket; tried again by itself
│   │       └── NoRoom        this machine's disk is full with what came from it; tried again by itself
│   ├── IdempotencyReused     the same key with another request
│   ├── SubmissionInFlight    the same key while the first is still being received
│   └── VectorIndexBroken     the index answers errors; it is rebuilt from the ledger
└── RequestError              a request that makes no sense
    ├── NotFound              no such job, sample, root
    ├── BadCursor             a page cursor we did not make
    ├── BadPattern            a pattern that cannot be matched
    ├── BadFilter             a filter that makes no sense
    ├── TooManyMarks          an owner has marked as many sounds as may be
    └── TooManySearches       an owner keeps as many searches as may be
"""

from __future__ import annotations

from typing import ClassVar


class SampleMindError(Exception):
    """The root of the tree. `code` is stable and for programs; the message is for people."""

    code: ClassVar[str] = "error"
    sentence: ClassVar[str] = "Something went wrong."

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        super().__init__(f"{self.sentence} {detail}".strip())

    @property
    def message(self) -> str:
        """One sentence, and the detail where there is one."""
        return str(self)

    def __reduce__(self) -> tuple[type[SampleMindError], tuple[str]]:
        return type(self), (self.detail,)


class ParameterError(SampleMindError, ValueError):
    """A function was called with what it cannot take."""

    code = "bad_parameter"
    sentence = "A parameter is out of range."


class FileError(SampleMindError):
    """One file could not be analysed."""

    code = "file_error"
    sentence = "The file could not be analysed."


class Vanished(FileError):
    """The file is no longer there."""

    code = "vanished"
    sentence = "The file is not there, or no longer."


class Unreadable(FileError):
    """The file may not or cannot be read."""

    code = "unreadable"
    sentence = "The file cannot be read: check its permissions and the disk."


class NotARegularFile(FileError):
    """A FIFO, a device, a socket or a folder."""

    code = "not_a_regular_file"
    sentence = "This is not a regular file."


class SymlinkLoop(FileError):
    """A link that leads to itself."""

    code = "symlink_loop"
    sentence = "This link leads back to itself."


class OutsideRoot(FileError):
    """The path leads out of its library root."""

    code = "outside_root"
    sentence = "The path leads out of its library root."


class EmptyFile(FileError):
    """No bytes at all."""

    code = "empty_file"
    sentence = "The file is empty (0 bytes)."


class TooLarge(FileError):
    """More bytes than allowed."""

    code = "too_large"
    sentence = "The file is larger than allowed."


class ChangedWhileReading(FileError):
    """Somebody wrote to the file while it was read."""

    code = "changed_while_reading"
    sentence = "The file was changed while it was being read; submit it again."


class BucketMissing(FileError):
    """The bucket of its library root is not there."""

    code = "bucket_missing"
    sentence = "There is no such bucket in the store: check its name in the settings."


class AccessRefused(FileError):
    """The store of its bucket does not let us."""

    code = "access_refused"
    sentence = "The store does not let us read: check the key in the settings, and what it may do."


class ObjectArchived(FileError):
    """The store would have to bring it back first."""

    code = "object_archived"
    sentence = "The file lies in the store's archive; restore it there and submit it again."


class FetchTimedOut(FileError):
    """It took too long to come."""

    code = "fetch_timed_out"
    sentence = "The file took too long to come from its store and was given up."


class NotDelivered(FileError):
    """The store answers, but does not give it out."""

    code = "not_delivered"
    sentence = "The store answers, but fails to give this file out; try it again later."


class NotAudio(FileError):
    """The bytes are of something else, whatever the name says."""

    code = "not_audio"
    sentence = "This is not an audio file."


class UnsupportedFormat(FileError):
    """Audio in a format that is not read."""

    code = "unsupported_format"
    sentence = "This audio format is not supported."


class BrokenHeader(FileError):
    """The header contradicts itself or cannot be true."""

    code = "broken_header"
    sentence = "The file's header cannot be right."


class DecodeFailed(FileError):
    """The decoder gave up."""

    code = "decode_failed"
    sentence = "The audio is damaged and could not be decoded."


class EmptyAudio(FileError):
    """A header and no sound."""

    code = "empty_audio"
    sentence = "The file holds no sound, only a header."


class NoFiniteSamples(FileError):
    """Every sample is NaN or infinite."""

    code = "no_finite_samples"
    sentence = "The file holds no valid sample: all are NaN, infinite or louder than anything can be (+200 dBFS)."


class DecodeTimeout(FileError):
    """The decoder took too long and was killed."""

    code = "decode_timeout"
    sentence = "Decoding took too long and was given up."


class DecoderCrashed(FileError):
    """The decoder died on this file."""

    code = "decoder_crashed"
    sentence = "The decoder crashed on this file."


class OutOfMemory(FileError):
    """The file wants more memory than one file may have."""

    code = "out_of_memory"
    sentence = "The file needs more memory than one file may have."


class AnalysisFailed(FileError):
    """The analysis failed where it should not: a bug."""

    code = "analysis_failed"
    sentence = "The analysis failed on this file; please report it."


class KilledWorker(FileError):
    """The file took a worker down each time it was tried."""

    code = "killed_worker"
    sentence = "The file took a worker down each time it was tried and was set aside."


class TaggingError(SampleMindError):
    """A file could not be written to; it is as it was."""

    code = "tagging_failed"
    sentence = "Nothing was written."


class NotWritable(TaggingError):
    """Its structure or its format leaves no way to write into it safely."""

    code = "not_writable"
    sentence = "This file cannot be written to safely."


class WriteRefused(TaggingError):
    """The file, its folder or the disk does not let us."""

    code = "write_refused"
    sentence = "The new file could not be written, and the old one is as it was: check permissions and space."


class ChangedSince(TaggingError):
    """It is no longer the file that was analysed, or that we wrote."""

    code = "changed_since"
    sentence = "The file is not the one it was: it was changed since, and nothing was written."


class SoundDiffers(TaggingError):
    """The new file would not have sounded the same."""

    code = "sound_differs"
    sentence = "The new file would not have sounded the same and was thrown away; please report it."


class Left(Exception):
    """No error: whoever had a file analysed does not want it any more. Passes through the analysis."""


class StoreError(SampleMindError):
    """A database said no."""

    code = "store_error"
    sentence = "A database refused the request."


class StoreUnavailable(StoreError):
    """A database cannot be reached now."""

    code = "store_unavailable"
    sentence = "A database cannot be reached right now; try again in a moment."


class BucketAway(StoreUnavailable):
    """The server of a bucket is away: no file is to blame."""

    code = "bucket_away"
    sentence = "The store with the files cannot be read right now; it is tried again by itself."


class NoRoom(BucketAway):
    """There is no room for what a bucket's server sends."""

    code = "no_room"
    sentence = "There is no room for what comes from the store; it is tried again by itself."


class IdempotencyReused(StoreError):
    """The same idempotency key came with another request."""

    code = "idempotency_key_reused"
    sentence = "This Idempotency-Key was used for a different request."


class SubmissionInFlight(StoreError):
    """The same idempotency key while the first request is still being received."""

    code = "submission_in_flight"
    sentence = "A request with this Idempotency-Key is still being received."


class VectorIndexBroken(StoreError):
    """The vector index answers errors although its server is alive."""

    code = "vector_index_broken"
    sentence = "The vector index is damaged and will be rebuilt from the ledger."


class RequestError(SampleMindError):
    """A request that makes no sense."""

    code = "bad_request"
    sentence = "The request makes no sense."


class NotFound(RequestError):
    """No such thing."""

    code = "not_found"
    sentence = "There is no such thing."

    def __init__(self, detail: str = "thing") -> None:
        """`detail` is what there is none of, or a sentence that says it."""
        super().__init__(detail)
        self.args = (detail if " " in detail else f"There is no such {detail}.",)


class BadCursor(RequestError):
    """A page cursor that was not made here."""

    code = "bad_cursor"
    sentence = "The page cursor is not one of ours; start again without it."


class BadPattern(RequestError):
    """A pattern that cannot be matched."""

    code = "bad_pattern"
    sentence = "The file pattern is not valid."


class BadFilter(RequestError):
    """A filter that makes no sense."""

    code = "bad_filter"
    sentence = "The filter makes no sense."


class TooManyMarks(RequestError):
    """An owner has marked as many sounds as may be."""

    code = "too_many_marks"
    sentence = "You have marked as many sounds as may be."


class TooManySearches(RequestError):
    """An owner keeps as many searches as may be."""

    code = "too_many_searches"
    sentence = "You keep as many searches as may be."


def sentence_of(code: str) -> str:
    """What the error of this code says of any file; empty where there is none."""
    return next((error.sentence for error in FileError.__subclasses__() if error.code == code), "")
