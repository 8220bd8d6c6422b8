"""What sounds alike, aspect by aspect."""

from __future__ import annotations

import math
from typing import Any

import pytest

from api.asking import Like, SoundRequest
from api.errors import Problem
from api.searching import Searching
from api.security import Caller
from api.similarity import compare, leaning, middle, pack, unit, unpack, weights_of
from stores.records import FileRef
from tests.api.gateway import Gateway, clipping, vector
from workers.model import ASPECTS, Instrument, Kind, Loudness, Pitch, Tempo

REST = ("pitch", "dynamics", "spectrum")


@pytest.fixture
def library(gateway: Gateway) -> Gateway:
    """Sounds that are alike in one respect and not in another."""
    gateway.sample("here.wav", vector=vector(timbre=[1, 0], rhythm=[1, 0]))
    gateway.sample("timbre.wav", vector=vector(timbre=[1, 0], rhythm=[0, 1]), tempo=Tempo(90.0, 0.9, 8, (), None))
    gateway.sample("rhythm.wav", vector=vector(timbre=[0, 1], rhythm=[1, 0]), kind=Kind("one-shot", 0.9))
    gateway.sample("other.wav", vector=vector(timbre=[-1, 0], rhythm=[-1, 0]))
    gateway.sample("silent.wav", vector=b"")
    gateway.index()
    return gateway


def id_of(gateway: Gateway, name: str) -> str:
    return next(
        str(item["sample_id"])
        for item in gateway.client.get("/v1/samples").json()["items"]
        if item["files"][0]["path"] == name
    )


def search(gateway: Gateway, name: str = "here.wav", **more: object) -> list[tuple[str, float]]:
    answer = gateway.client.post(
        "/v1/search", json={"like": {"sample": id_of(gateway, name)}, "include_self": True, **more}
    )
    assert answer.status_code == 200, answer.text
    return [(hit["sample"]["files"][0]["path"], hit["score"]) for hit in answer.json()["items"]]


def test_the_sound_itself_is_nearest(library: Gateway) -> None:
    hits = search(library)
    assert hits[0] == ("here.wav", 1.0)
    assert hits[-1] == ("other.wav", -1.0)
    assert [score for _, score in hits] == sorted((score for _, score in hits), reverse=True)


def test_the_sound_itself_is_left_out_unless_it_is_asked_for(library: Gateway) -> None:
    names = [name for name, _ in search(library, include_self=False)]
    assert names == [name for name, _ in search(library) if name != "here.wav"]
    assert "here.wav" not in dict(search(library, include_self=False, where={"kind": "loop"}))


def test_the_sound_itself_is_found_though_the_index_passes_over_it(
    library: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = library.stores.vectors.near

    def approximate(asked: bytes, *, limit: int) -> list[str]:
        return [one for one in near(asked, limit=limit) if one != id_of(library, "here.wav")]

    monkeypatch.setattr(library.stores.vectors, "near", approximate)
    assert search(library)[0] == ("here.wav", 1.0)
    assert "here.wav" not in dict(search(library, where={"kind": "one-shot"}))


def test_among_sounds_that_are_the_same_the_one_asked_for_comes_first(library: Gateway) -> None:
    names = [f"twin {n}.wav" for n in range(6)]
    for name in names:
        library.sample(name, vector=vector(pitch=[1]))
    library.index()
    assert [search(library, name, limit=1) for name in names] == [[(name, 1.0)] for name in names]


def found_by(gateway: Gateway, owner: str, **more: Any) -> list[dict[str, Any]]:
    """What an owner finds like a sound that has only timbre."""
    who = Caller(owner, frozenset({"read"}))
    like = Like(vector=[1.0, *[0.0] * 127])
    items: list[dict[str, Any]] = Searching(gateway.app.state.parts, who).search(like, SoundRequest(**more))["items"]
    return items


def test_an_owner_with_few_samples_among_many_finds_them_all(gateway: Gateway) -> None:
    for n in range(600):
        gateway.sample(f"theirs {n}.wav", owner="ann", vector=vector(timbre=[1, n / 10_000]))
    mine = {gateway.sample(f"mine {n}.wav", owner="bob", vector=vector(timbre=[-1, n])) for n in range(3)}
    gateway.index()
    assert {hit["sample"]["sample_id"] for hit in found_by(gateway, "bob", limit=5)} == mine


def test_the_second_owner_of_a_sound_finds_it_by_a_filter_however_many_others_have(gateway: Gateway) -> None:
    """The index knows who had a sample first and no more; a crowd of others' must not hide what is also theirs."""
    for n in range(6000):
        gateway.sample(f"theirs {n}.wav", owner="ann", vector=vector(timbre=[1, n / 100_000]))
    shared = [gateway.sample(f"shared {n}.wav", owner="ann", vector=vector(timbre=[-1, n])) for n in range(3)]
    gateway.stores.samples.seen_at([(one, FileRef("library", "mine.wav")) for one in shared], owner="bob")
    gateway.index()
    found = found_by(gateway, "bob", limit=5, where={"kind": "loop", "bpm": (100.0, 140.0)})
    assert {hit["sample"]["sample_id"] for hit in found} == set(shared)
    assert {file["path"] for hit in found for file in hit["sample"]["files"]} == {"mine.wav"}
    assert not found_by(gateway, "bob", limit=5, where={"kind": "one-shot"})


def test_weights_decide_in_which_respect(library: Gateway) -> None:
    assert [name for name, _ in search(library, aspects={"timbre": 1})][:2] == ["here.wav", "timbre.wav"] or (
        dict(search(library, aspects={"timbre": 1}))["timbre.wav"] == 1
    )
    scores = dict(search(library, aspects={"timbre": 3, "rhythm": 1}))
    assert scores["timbre.wav"] == pytest.approx(0.75)
    assert scores["rhythm.wav"] == pytest.approx(0.25)


def test_each_aspects_share_is_shown(library: Gateway) -> None:
    answer = library.client.post("/v1/search", json={"like": {"sample": id_of(library, "here.wav")}})
    hit = next(one for one in answer.json()["items"] if one["sample"]["files"][0]["path"] == "timbre.wav")
    assert hit["aspects"] == {"timbre": 1.0, "pitch": None, "rhythm": 0.0, "dynamics": None, "spectrum": None}
    assert hit["shares"] == {"timbre": 0.5, "pitch": 0.0, "rhythm": 0.0, "dynamics": 0.0, "spectrum": 0.0}
    for one in answer.json()["items"]:
        assert one["score"] == pytest.approx(sum(one["shares"].values()), abs=1e-12)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"bpm": [80, 100]}, {"timbre.wav"}),
        ({"bpm": [None, 100]}, {"timbre.wav"}),
        ({"bpm": [100, None], "kind": "loop"}, {"here.wav", "other.wav"}),
        ({"kind": "one-shot"}, {"rhythm.wav"}),
        (
            {"key": "C minor", "camelot": "5A", "duration": [1, 10]},
            {"here.wav", "timbre.wav", "rhythm.wav", "other.wav"},
        ),
        ({"key": "D minor"}, set()),
        ({"bpm": None}, {"here.wav", "timbre.wav", "rhythm.wav", "other.wav"}),
    ],
)
def test_only_what_passes_is_found(library: Gateway, where: dict[str, object], names: set[str]) -> None:
    assert {name for name, _ in search(library, where=where)} == names


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"text": "RHYTHM wav"}, {"rhythm.wav"}),
        ({"defect": "clipping"}, {"clipped.wav"}),
        ({"note": ["A4", "B"]}, {"note.wav"}),
        ({"range": {"loudness.integrated_lufs": [None, -30]}}, {"quiet.wav"}),
        ({"instrument": "kick"}, {"kick.wav"}),
        ({"instrument": "snare"}, set()),
        ({"text": "wav", "kind": "one-shot"}, {"rhythm.wav"}),
    ],
)
def test_what_only_the_ledger_knows_is_asked_for_in_the_words_of_a_listing(
    library: Gateway, where: dict[str, object], names: set[str]
) -> None:
    sounds = vector(timbre=[1, 0.1])
    library.sample("clipped.wav", vector=sounds, defects=clipping())
    library.sample("note.wav", vector=sounds, pitch=Pitch("A4", 69, 440.0, 0.0, 0.9, None))
    library.sample("quiet.wav", vector=sounds, loudness=Loudness(-40.0, -30.0, -45.0, 12.0))
    library.sample("kick.wav", vector=sounds, instrument=Instrument("kick", 0.9, None))
    library.index()
    assert {name for name, _ in search(library, where=where)} == names


def test_a_filter_that_only_the_ledger_knows_finds_what_the_index_thinks_far(gateway: Gateway) -> None:
    for n in range(1200):
        gateway.sample(f"near {n}.wav", vector=vector(timbre=[1, n / 10_000]))
    gateway.sample("far away.wav", vector=vector(timbre=[-1]))
    gateway.index()
    found = found_by(gateway, "local", limit=5, where={"text": "far"})
    assert [hit["sample"]["files"][0]["path"] for hit in found] == ["far away.wav"]


def test_the_callers_own_marks_let_in_and_out(library: Gateway) -> None:
    def mark(name: str, **said: object) -> None:
        assert library.client.put(f"/v1/samples/{id_of(library, name)}/mark", json=said).status_code == 200

    mark("rhythm.wav", tags=["dusty"], bpm=90)
    mark("timbre.wav", favourite=True, bpm=170)
    assert {name for name, _ in search(library, where={"tag": "Dusty"})} == {"rhythm.wav"}
    assert {name for name, _ in search(library, where={"tag": ["dusty", "x"], "favourite": True})} == set()
    assert {name for name, _ in search(library, where={"favourite": True})} == {"timbre.wav"}
    assert {name for name, _ in search(library, where={"corrected": True})} == {"timbre.wav", "rhythm.wav"}
    assert {name for name, _ in search(library, where={"bpm": [85, 95]})} == {"rhythm.wav"}


def test_several_samples_are_searched_by_what_they_have_in_common(library: Gateway) -> None:
    ids = [id_of(library, name) for name in ("timbre.wav", "rhythm.wav")]
    answer = library.client.post("/v1/search", json={"like": {"samples": ids}})
    assert [hit["sample"]["files"][0]["path"] for hit in answer.json()["items"]] == ["here.wav", "other.wav"]
    one = library.client.post("/v1/search", json={"like": {"samples": ids[:1] * 3}})
    assert one.json() == library.client.post("/v1/search", json={"like": {"sample": ids[0]}}).json()
    assert library.client.post("/v1/search", json={"like": {"samples": [ids[0], "x"]}}).status_code == 404


def test_different_ones_are_spread_over_what_was_found(gateway: Gateway) -> None:
    here = gateway.sample("here.wav", vector=vector(timbre=[1, 0, 0]))
    for n in range(10):
        gateway.sample(f"close {n}.wav", vector=vector(timbre=[1, 0.01 * n + 0.1, 0]))
    gateway.sample("another.wav", vector=vector(timbre=[1, 0, 1]))
    gateway.index()
    body: dict[str, Any] = {"like": {"sample": here}, "aspects": {"timbre": 1}, "limit": 2}
    plain = gateway.client.post("/v1/search", json=body).json()["items"]
    spread = gateway.client.post("/v1/search", json={**body, "different": True}).json()["items"]
    assert "another.wav" not in [hit["sample"]["files"][0]["path"] for hit in plain]
    assert [hit["sample"]["files"][0]["path"] for hit in spread] == ["close 0.wav", "another.wav"]
    whole = gateway.client.post("/v1/search", json={**body, "limit": 50, "different": True}).json()["items"]
    assert len({hit["sample"]["sample_id"] for hit in whole}) == 11


def test_the_limit_holds(library: Gateway) -> None:
    assert len(search(library, limit=2)) == 2


def test_a_vector_of_ones_own(library: Gateway) -> None:
    numbers = [0.0] * 128
    numbers[1] = 1e-3
    answer = library.client.post("/v1/search", json={"like": {"vector": numbers}, "limit": 1})
    assert answer.json()["items"][0]["sample"]["files"][0]["path"] == "rhythm.wav"


def test_the_index_writer_may_begin_anew(library: Gateway) -> None:
    assert search(library)
    library.stores.samples.next_generation(1)
    assert search(library) == [("here.wav", 1.0)]  # what it was asked with
    library.index()
    assert search(library)[0][0] == "here.wav"


def test_a_broken_index_is_503(library: Gateway) -> None:
    search(library)
    library.stores.vectors.broken = True
    answer = library.client.post("/v1/search", json={"like": {"sample": id_of(library, "here.wav")}})
    assert (answer.status_code, answer.json()["code"]) == (503, "vector_index_broken")


def test_silence_is_like_nothing(library: Gateway) -> None:
    answer = library.client.post("/v1/search", json={"like": {"sample": id_of(library, "silent.wav")}})
    assert (answer.status_code, answer.json()["code"]) == (422, "no_vector")


def test_no_such_sample(library: Gateway) -> None:
    assert library.client.post("/v1/search", json={"like": {"sample": "x"}}).status_code == 404


FLAT = [1.0] * 128


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"like": {}},
        {"like": {"sample": "x", "vector": FLAT}},
        {"like": {"sample": "x", "samples": ["x"]}},
        {"like": {"samples": []}},
        {"like": {"samples": ["x"] * 21}},
        {"like": {"vector": FLAT[:127]}},
        {"like": {"vector": [*FLAT, 1.0]}},
        {"like": {"vector": [0.0] * 128}},
        {"like": {"vector": [1e-300] * 128}},
        {"like": {"vector": [1e300] * 128}},
        {"like": {"vector": ["x"] * 128}},
        {"like": {"vector": FLAT}, "aspects": {"colour": 1}},
        {"like": {"vector": FLAT}, "aspects": {"timbre": 0}},
        {"like": {"vector": FLAT}, "aspects": {}},
        {"like": {"vector": FLAT}, "aspects": {"timbre": -1}},
        {"like": {"vector": FLAT}, "aspects": {"timbre": "x"}},
        {"like": {"vector": [1.0] + [0.0] * 127}, "aspects": {"rhythm": 1}},
        {"like": {"vector": FLAT}, "where": {"bpm": [122, 118]}},
        {"like": {"vector": FLAT}, "where": {"bpm": [1]}},
        {"like": {"vector": FLAT}, "where": {"bpm": 120}},
        {"like": {"vector": FLAT}, "where": {"key": "H moll"}},
        {"like": {"vector": FLAT}, "where": {"$or": []}},
        {"like": {"vector": FLAT}, "where": {"range": {"loudness.nothing": [0, 1]}}},
        {"like": {"vector": FLAT}, "where": {"note": "H9"}},
        {"like": {"vector": FLAT}, "where": {"tag": "a,b"}},
        {"like": {"vector": FLAT}, "where": {"text": "a\0b"}},
        {"like": {"vector": FLAT}, "where": {"text": "a " * 30}},
        {"like": {"vector": FLAT}, "fits": True},
        {"like": {"sample": "x"}, "fits": True, "aspects": {"timbre": 1}},
        {"like": {"sample": "x"}, "fits": {"stretch_percent": -1}},
        {"like": {"sample": "x"}, "fits": {"transpose": 7}},
        {"like": {"vector": FLAT}, "limit": 0},
        {"like": {"vector": FLAT}, "limit": 101},
        {"like": {"vector": FLAT}, "limit": 2.5},
    ],
)
def test_a_search_that_makes_no_sense_is_refused(library: Gateway, body: dict[str, object]) -> None:
    answer = library.client.post("/v1/search", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_refusal_is_a_sentence_and_not_a_programs_error(library: Gateway) -> None:
    said = library.client.post("/v1/search", json={"like": {}}).json()
    assert said["detail"] == "like: give either a sample's id, the ids of several samples, or a vector"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_not_a_number_is_refused(library: Gateway, number: str) -> None:
    bodies = (
        f'{{"like": {{"vector": [{number}{", 1" * 127}]}}}}',
        f'{{"like": {{"vector": [1{", 1" * 127}]}}, "aspects": {{"timbre": {number}}}}}',
        f'{{"like": {{"vector": [1{", 1" * 127}]}}, "where": {{"bpm": [{number}, null]}}}}',
    )
    for body in bodies:
        answer = library.client.post("/v1/search", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, body


def test_only_the_owners_samples_are_found(library: Gateway) -> None:
    mine = library.sample("mine.wav", owner="ann", vector=vector(timbre=[1, 0]))
    library.index()
    _, secret = library.stores.keys.create(name="k", owner="ann", scopes=["read"], ttl_s=None)
    library.app.state.parts.gate.forget()
    answer = library.client.post(
        "/v1/search", json={"like": {"sample": mine}, "include_self": True}, headers={"X-API-Key": secret}
    )
    assert [hit["sample"]["sample_id"] for hit in answer.json()["items"]] == [mine]


# -- the arithmetic


def test_the_score_is_the_weighted_mean_of_the_aspects_and_the_sum_of_the_shares() -> None:
    x = unpack(vector(timbre=[1, 0], rhythm=[1, 0], pitch=[1]))
    y = vector(timbre=[1, 1], rhythm=[-1, 0])
    like = compare(x, {"y": y, "silent": b""}, {"timbre": 2, "rhythm": 1, "pitch": 1})["y"]
    assert like.aspects["timbre"] == pytest.approx(math.sqrt(0.5))
    assert like.aspects["pitch"] is None
    assert like.score == pytest.approx((2 * math.sqrt(0.5) - 1 + 0) / 4)
    assert like.score == pytest.approx(sum(like.shares.values()))
    assert like.shares == pytest.approx({"timbre": math.sqrt(0.5) / 2, "rhythm": -0.25, **dict.fromkeys(REST, 0)})


def test_it_is_deaf_to_length_and_bounded() -> None:
    x, y = [float(n % 7 - 3) for n in range(128)], [float(n % 5 - 2) for n in range(128)]
    once, again = (compare(x, {"y": pack([gain * v for v in y])}, {"timbre": 1})["y"] for gain in (1, 100))
    assert once.aspects == pytest.approx(again.aspects)
    assert compare(x, {"x": pack(x)}, {"timbre": 1})["x"].aspects == pytest.approx(dict.fromkeys(ASPECTS, 1))
    back = compare(x, {"x": pack([-v for v in x])}, {"timbre": 1})["x"]
    assert back.aspects == pytest.approx(dict.fromkeys(ASPECTS, -1))


def test_the_middle_of_several_counts_each_as_much_and_leaves_out_what_none_says() -> None:
    near, far = unpack(vector(timbre=[1, 0], rhythm=[1])), unpack(vector(timbre=[0, 50]))
    between = middle([near, far])
    assert between[0] == pytest.approx(between[1])
    assert not any(between[slice(*ASPECTS["pitch"])])
    with pytest.raises(Problem):
        middle([unpack(vector(timbre=[1])), unpack(vector(timbre=[-1]))])


def test_the_index_is_asked_with_what_counts() -> None:
    query = unpack(vector(timbre=[1, 0], rhythm=[1, 0]))
    asked = unpack(leaning(query, {"timbre": 2, "rhythm": 1}))
    assert asked[ASPECTS["timbre"][0]] == 1
    assert asked[ASPECTS["rhythm"][0]] == 0.5


def test_an_aspect_of_which_the_sound_says_nothing_has_no_weight() -> None:
    query = unpack(vector(timbre=[1]))
    assert weights_of(None, query) == {"timbre": 1}
    with pytest.raises(Problem):
        weights_of({"pitch": 1}, query)


def test_a_vector_is_made_unit_length() -> None:
    assert math.hypot(*unit([3.0] * 128)) == pytest.approx(1)
