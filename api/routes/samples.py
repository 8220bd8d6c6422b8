"""Samples: found, shown, heard, seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import pictures
from api.answers import Json
from api.audio import open_audio, open_wav
from api.deps import Parts, Reader, Writer
from api.filters import sample_filter
from api.listing import listing
from api.marked import Marked, mark_of, mark_view
from api.parts import Parts as _Parts
from api.schemas import AudioQuery, FacetsQuery, MarkRequest, SamplesQuery, WaveformQuery
from api.security import Caller
from api.shapes import PROBLEMS, FacetsShape, MarkShape, SampleShape, SamplesShape, TagsShape, WaveformShape
from stores.records import Facets, Mark

router = APIRouter(prefix="/v1/samples", tags=["samples"], responses=PROBLEMS)
SampleId = Annotated[str, Path(max_length=200)]
_KEEP = {"Cache-Control": "private, max-age=86400, immutable"}
"""What is said of a sample never changes: a new analyser gives it a new id."""


def _marked(parts: _Parts, who: Caller) -> Marked:
    return Marked(parts.marks, parts.samples, who.owner, who.sees)


@router.get("", summary="Samples that match", responses={200: {"model": SamplesShape}})
def samples(parts: Parts, who: Reader, query: Annotated[SamplesQuery, Query()]) -> Response:
    """A page of samples; every parameter given must hold, and unknown ones are refused."""
    return Json(listing(parts, who, query))


@router.get("/facets", summary="How many samples have which value", responses={200: {"model": FacetsShape}})
def facets(parts: Parts, who: Reader, query: Annotated[FacetsQuery, Query()]) -> Response:
    """Of the samples that match: how many of each kind, instrument, key, container, defect, and step of 10 BPM."""
    where = sample_filter(query, who.sees)
    among = _marked(parts, who).among(where, query)

    def count() -> Facets:
        with parts.turns.one():
            return parts.samples.facets(where, among)

    return Json(asdict(parts.counted.get((where, among), count)))


@router.get("/tags", summary="Your tags", responses={200: {"model": TagsShape}})
def tags(parts: Parts, who: Reader) -> Response:
    """Every tag you gave, and how many sounds have it, the most frequent first."""
    return Json({"tags": parts.marks.tags(who.owner)})


@router.get("/{sample_id}", summary="One sample", responses={200: {"model": SampleShape}})
def sample(parts: Parts, who: Reader, sample_id: SampleId) -> Response:
    """What `samplemind analyze` says of it, and where it was seen."""
    found = parts.samples.get(sample_id, owner=who.sees)
    return Json(_marked(parts, who).views([found])[0])


@router.put("/{sample_id}/mark", summary="Tag, star or correct it", responses={200: {"model": MarkShape}})
def mark(parts: Parts, who: Writer, sample_id: SampleId, asked: MarkRequest) -> Response:
    """Takes the place of what you said of this sound before. It belongs to the content: a new analysis, or the same
    sound in another folder, has it too; others do not see it. Filters go by what you say, not by what was measured."""
    parts.samples.get(sample_id, owner=who.sees)
    said = mark_of(asked)
    parts.marks.put(who.owner, sample_id, said)
    return Json(mark_view(said))


@router.delete("/{sample_id}/mark", status_code=204, summary="Take back what you said of it", response_class=Response)
def unmark(parts: Parts, who: Writer, sample_id: SampleId) -> Response:
    """No change where you said nothing."""
    parts.samples.get(sample_id, owner=who.sees)
    parts.marks.put(who.owner, sample_id, Mark())
    return Response(status_code=204)


@router.head("/{sample_id}/audio", include_in_schema=False)
@router.get("/{sample_id}/audio", summary="The file itself", response_class=Response)
def audio(
    request: Request, parts: Parts, who: Reader, sample_id: SampleId, query: Annotated[AudioQuery, Query()]
) -> Response:
    """The file where it was seen first, or wherever it still is; one range at a time. Or, for what cannot play it, its
    first two minutes as WAV of 16 bits."""
    found = parts.samples.get(sample_id, owner=who.sees)
    if query.format == "wav":
        return open_wav(found, parts.places, parts.listening)
    return open_audio(found, parts.places, request.headers)


@router.get("/{sample_id}/waveform", summary="Its waveform", responses={200: {"model": WaveformShape}})
def waveform(parts: Parts, who: Reader, sample_id: SampleId, query: Annotated[WaveformQuery, Query()]) -> Response:
    """Peaks as JSON, or drawn as SVG or PNG."""
    parts.samples.get(sample_id, owner=who.sees)
    peaks, _ = parts.samples.preview(sample_id)
    if query.format == "svg":
        return Response(pictures.waveform_svg(peaks), media_type="image/svg+xml", headers=_KEEP)
    if query.format == "png":
        return Response(pictures.waveform_png(peaks), media_type="image/png", headers=_KEEP)
    return Json({"sample_id": sample_id, "peaks": pictures.pairs(peaks)}, headers=_KEEP)


@router.get("/{sample_id}/spectrogram", summary="Its mel spectrogram", response_class=Response)
def spectrogram(parts: Parts, who: Reader, sample_id: SampleId) -> Response:
    """A PNG: time to the right, low frequencies at the bottom."""
    parts.samples.get(sample_id, owner=who.sees)
    _, mel = parts.samples.preview(sample_id)
    return Response(pictures.spectrogram_png(mel), media_type="image/png", headers=_KEEP)
