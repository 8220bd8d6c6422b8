"""Copies: found by what every analysis keeps, linked, never merged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pytest

from api.copies import Floats, Resemblance, decibels, is_copy, resemblance
from api.keeping import choose
from stores.records import FileRef, Sample
from tests.api.gateway import Gateway, analysis
from tests.workers.analysis.sounds import Signal, drum_loop, info_of, tone
from workers.analysis import analyze
from workers.audio.hints import Hints
from workers.model import Analysis, AudioInfo, Defect


@cache
def loop(seed: int = 0) -> Signal:
    return drum_loop(120 + 7 * seed)


def analysed(y: Signal) -> Analysis:
    return analyze(y.astype(np.float32), info_of(y), Hints())


def faded(y: Signal) -> Signal:
    ramp = np.minimum(1, np.linspace(4, 0, len(y)))
    return y * ramp[:, None] if y.ndim == 2 else y * ramp


EDITS = {
    "softer.wav": lambda y: y * 0.3,
    "cut.wav": lambda y: y[1500 : -len(y) // 8],
    "faded.wav": faded,
}


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    for name, y in {"loop.wav": loop(), **{name: edit(loop()) for name, edit in EDITS.items()}}.items():
        keep(gateway, name, analysed(y))
    keep(gateway, "other.wav", analysed(loop(3)))
    keep(gateway, "tone.wav", analysed(np.stack([0.5 * tone(57, 1.0)] * 2, axis=1)))
    gateway.index()
    return gateway


def keep(gateway: Gateway, name: str, said: Analysis, owner: str = "local") -> str:
    changes = {field: getattr(said, field) for field in said.__slots__}
    return gateway.sample(name, owner=owner, **changes)


def names(group: dict[str, Any]) -> set[str]:
    return {sample["files"][0]["path"] for sample in group["samples"]}


def groups(gateway: Gateway, **query: Any) -> list[dict[str, Any]]:
    answer = gateway.client.get("/v1/duplicates", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_a_sound_louder_cut_or_faded_is_one_group_and_others_are_none(library: Gateway) -> None:
    (group,) = groups(library)
    assert group["kind"] == "near"
    assert names(group) == {"loop.wav", *EDITS}
    assert group["links"]
    ids = {sample["sample_id"] for sample in group["samples"]}
    assert {one for link in group["links"] for one in link["between"]} <= ids
    assert group["keep"] in ids


def test_each_group_is_told_once_whatever_the_pages(library: Gateway) -> None:
    found, cursor, looked_at = [], None, 0
    while True:
        page = library.client.get(
            "/v1/duplicates", params={"limit": 1, **({"cursor": cursor} if cursor else {})}
        ).json()
        found += page["items"]
        cursor, looked_at = page["next"], looked_at + page["looked_at"]
        if cursor is None:
            break
    assert found == groups(library)
    assert looked_at == 6


def test_the_copies_of_one_sample_can_be_asked_for(library: Gateway) -> None:
    listed = library.client.get("/v1/samples").json()["items"]
    ids = {item["files"][0]["path"]: item["sample_id"] for item in listed}
    for name in ("cut.wav", "loop.wav"):
        group = library.client.get(f"/v1/samples/{ids[name]}/duplicates").json()["group"]
        assert names(group) == {"loop.wav", *EDITS}
    assert library.client.get(f"/v1/samples/{ids['tone.wav']}/duplicates").json() == {"group": None}
    assert library.client.get("/v1/samples/x/duplicates").status_code == 404


def test_the_same_bytes_at_two_places_are_an_exact_group(gateway: Gateway) -> None:
    twice = gateway.sample("a.wav")
    gateway.stores.samples.seen_at([(twice, FileRef("library", "b.wav"))])
    gateway.sample("silent.wav", vector=b"")
    gateway.index()
    (group,) = groups(gateway, kind="exact")
    assert (group["kind"], group["keep"], group["links"]) == ("exact", twice, [])
    assert [file["path"] for file in group["samples"][0]["files"]] == ["a.wav", "b.wav"]
    assert groups(gateway, kind="near") == []
    assert gateway.client.get("/v1/duplicates?kind=similar").status_code == 422


def hashed(said: Analysis, pcm: str, **audio: Any) -> Analysis:
    return replace(said, audio=replace(said.audio, pcm_xxh128=pcm, **audio))


def test_files_of_the_same_samples_are_a_group_of_their_own_kind(gateway: Gateway) -> None:
    said = analysed(np.stack([0.5 * tone(57, 1.0)] * 2, axis=1))
    keep(gateway, "a.wav", hashed(said, "f" * 64))
    keep(gateway, "a.flac", hashed(said, "f" * 64, container="FLAC"))
    keep(gateway, "of another owner.wav", hashed(said, "f" * 64), owner="ann")
    keep(gateway, "faster.wav", replace(hashed(said, "f" * 64, sample_rate_hz=48000), vector=b""))
    for n in range(2):
        keep(gateway, f"silence {n}.wav", replace(hashed(said, "0" * 64), vector=b""))
    _, secret = gateway.stores.keys.create(name="k", owner="local", scopes=["read"], ttl_s=None)
    gateway.app.state.parts.gate.forget()
    gateway.client.headers["Authorization"] = f"Bearer {secret}"
    found = groups(gateway, kind="audio")
    assert sorted(map(sorted, map(names, found))) == [["a.flac", "a.wav"], ["silence 0.wav", "silence 1.wav"]]
    assert all(group["kind"] == "audio" for group in found)
    (link,) = found[0]["links"]
    assert (link["same_audio"], link["shape_db"], link["steady"]) == (True, 0.0, 1.0)


def test_a_group_of_the_same_samples_and_others_is_near(library: Gateway) -> None:
    keep(library, "loop.flac", hashed(analysed(loop()), "f" * 64))
    keep(library, "again.flac", hashed(analysed(loop()), "f" * 64))
    library.index()
    (group,) = groups(library)
    assert (group["kind"], len(group["samples"])) == ("near", 6)
    assert sum(link["same_audio"] for link in group["links"]) == 1
    (inner,) = groups(library, kind="audio")
    assert names(inner) == {"loop.flac", "again.flac"}
    assert groups(library, kind="near") == [group]


def test_one_owners_copies_are_not_told_to_another(library: Gateway) -> None:
    mine = keep(library, "mine.wav", analysed(loop() * 0.5), owner="ann")
    library.index()
    _, secret = library.stores.keys.create(name="k", owner="ann", scopes=["read"], ttl_s=None)
    library.app.state.parts.gate.forget()
    head = {"X-API-Key": secret}
    assert library.client.get("/v1/duplicates", headers=head).json()["items"] == []
    assert library.client.get(f"/v1/samples/{mine}/duplicates", headers=head).json() == {"group": None}
    other = library.stores.samples.known([])
    assert other == {}


# -- which to keep


def sample(name: str, day: int = 1, **audio: Any) -> Sample:
    info = replace(AudioInfo(8.0, 44100, 2, "WAV", "PCM_16", 352800, 8.0), **audio)
    defects = (Defect("clipping", "It clips."),) if name == "clipped" else ()
    said = analysis(audio=info, defects=defects).to_dict()
    return Sample(name, name, "1.0.0", said, (FileRef("library", name),), datetime(2026, 1, day, tzinfo=UTC))


@pytest.mark.parametrize(
    ("better", "worse", "why"),
    [
        (sample("b"), sample("a", subtype="MPEG_LAYER_III", sample_rate_hz=96000), "lossless"),
        (sample("b"), sample("clipped", duration_s=9.0), "does not clip"),
        (sample("b", duration_s=8.1), sample("a", sample_rate_hz=96000), "longest"),
        (sample("b"), sample("a", channels=1, sample_rate_hz=96000), "channels"),
        (sample("b", sample_rate_hz=48000), sample("a", subtype="PCM_24"), "sample rate"),
        (sample("b", subtype="PCM_24"), sample("a"), "bits"),
        (sample("b", day=1), sample("a", day=2), "first"),
    ],
)
def test_what_is_better_is_kept_and_it_is_said_why(better: Sample, worse: Sample, why: str) -> None:
    for samples in ([better, worse], [worse, better]):
        kept, said = choose(samples)
        assert kept is better
        assert why in said


# -- how spectrograms resemble each other


def picture(y: Signal) -> tuple[Floats, float, dict[str, Any]]:
    said = analysed(y)
    return decibels(said.preview.mel), len(y) / 44100, said.to_dict()


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_resembles_its_original_both_ways_round(name: str) -> None:
    one, other = picture(loop()), picture(EDITS[name](loop()))
    there, back = (resemblance(a[0], a[1], b[0], b[1]) for a, b in ((one, other), (other, one)))
    assert there is not None
    assert back is not None
    assert is_copy(one[2], other[2], 0.95, there)
    assert not is_copy(one[2], other[2], 0.7, there)
    assert there.shape_db == pytest.approx(back.shape_db, abs=0.7)


def test_a_sound_is_itself_and_half_of_it_is_no_copy() -> None:
    S, seconds, _ = picture(loop())
    same = resemblance(S, seconds, S, seconds)
    assert same is not None
    assert (same.shape_db, same.steady) == (0, 1)
    assert resemblance(S, seconds, S, seconds * 0.49) is None


@pytest.mark.parametrize(
    ("shape_db", "steady", "alike", "copy"),
    [(1.4, 1, 1, True), (1.6, 1, 1, False), (1.4, 1, 0.85, False), (0.1, 0.3, 1, False), (0.1, 1, 0.7, False)],
)
def test_a_copy_agrees_in_shape_in_gain_and_in_its_vector(
    shape_db: float, steady: float, alike: float, copy: bool
) -> None:
    assert is_copy({}, {}, alike, Resemblance(shape_db, steady)) is copy


def test_two_notes_of_one_instrument_are_no_copies() -> None:
    one, other = ({"pitch": {"hz": hz}} for hz in (220.0, 233.1))
    same = resemblance(*picture(loop())[:2] * 2)  # type: ignore[call-arg]
    assert same is not None
    assert not is_copy(one, other, 1.0, same)
    assert is_copy(one, one, 1.0, same)
