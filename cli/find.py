"""``samplemind find``: sounds by filters, by likeness, or by a search that was saved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.errors import UsageError
from cli.jobs import AsJson, DataDir, Url, connect, quoted

if TYPE_CHECKING:
    from cli.gateway import Gateway, Json

_ID: Final = re.compile(r"[0-9a-f]{64}-\S+")
_RANGES: Final = ("bpm", "duration")
_WORDS: Final = ("text", "key_relation")
_SWITCHES: Final = ("bpm_octaves", "favourite", "corrected")
_PAGE: Final = 1000
_MOST_ALIKE: Final = 100


def find(
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE...", help="Filters of docs/howto/find.md: kind=loop bpm=118..122 key=Cm."),
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", help="What sounds like this: a sample's id, or words of its path.")
    ] = None,
    sort: Annotated[
        str | None, typer.Option("--sort", help="bpm, duration, loudness or added; with - before it the other way.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many sounds.")] = 20,
    save: Annotated[str | None, typer.Option("--save", metavar="NAME", help="Also keep this search.")] = None,
    saved: Annotated[str | None, typer.Option("--saved", metavar="NAME", help="Ask a saved search anew.")] = None,
    forget: Annotated[str | None, typer.Option("--forget", metavar="NAME", help="Forget a saved search.")] = None,
    searches: Annotated[bool, typer.Option("--searches", help="List the saved searches.")] = False,
    json: AsJson = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Find sounds of the library by what was measured, by likeness, or by a search that you saved.

    For example: find kind=loop bpm=118..122 key=Cm key_relation=neighbours --sort=-loudness --save "club loops"
    """
    asked = bool(filters or like or sort or save)
    if sum((asked, saved is not None, forget is not None, searches)) > 1:
        raise UsageError("--saved, --forget and --searches go alone: a saved search has its own filters.")
    if like is not None and sort is not None:
        raise UsageError("What sounds alike is sorted by likeness: leave out --sort.")
    with connect(url, data_dir) as gateway:
        if searches:
            _list(gateway.get("/v1/searches")["items"], json=json)
        elif forget is not None:
            gateway.call("DELETE", f"/v1/searches/{quoted(forget)}")
            typer.echo(f"Forgotten: {forget}", err=True)
        else:
            found = _again(gateway, saved, limit) if saved else _found(gateway, filters or [], like, sort, limit, save)
            _show(found, limit, json=json)


def _found(
    gateway: Gateway, given: Sequence[str], like: str | None, sort: str | None, limit: int, save: str | None
) -> list[Json]:
    """The samples, or hits, that are asked for."""
    pairs = [_pair(one) for one in given]
    if like is not None:
        search = {"like": {"sample": _named(gateway, like)}, "where": where_of(pairs), "limit": min(limit, _MOST_ALIKE)}
        if save is not None:
            gateway.call("PUT", f"/v1/searches/{quoted(save)}", json={"search": search})
        return list(gateway.call("POST", "/v1/search", json=search)["items"])
    query = query_of(pairs) | ({} if sort is None else {"sort": sort})
    if save is not None:
        gateway.call("PUT", f"/v1/searches/{quoted(save)}", json={"query": query})
    return list(islice(gateway.pages("/v1/samples", limit=min(limit, _PAGE), **query), limit))


def _again(gateway: Gateway, saved: str, limit: int) -> list[Json]:
    """What a saved search finds now."""
    return list(islice(gateway.pages(f"/v1/searches/{quoted(saved)}/results", limit=min(limit, _PAGE)), limit))


def _pair(given: str) -> tuple[str, str]:
    name, equals, value = given.partition("=")
    if not equals or not value:
        raise UsageError(f"A filter is written NAME=VALUE, as in kind=loop, not {given!r}.")
    return name, value


def query_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Filters as a listing takes them."""
    query: dict[str, Any] = {}
    for name, value in pairs:
        if name == "range":
            query.setdefault(name, []).append(value)
        elif name in query:
            raise UsageError(f"{name} is given twice: write several values with commas between.")
        else:
            query[name] = value.lower() == "true" if name in _SWITCHES else value
    return query


def where_of(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Filters as a search takes them: `UsageError` for a range that is none."""
    where: dict[str, Any] = {}
    for name, value in query_of(pairs).items():
        if name == "range":
            places = [one.partition(":") for one in value]
            where[name] = {place: _bounds(place, said) for place, _, said in places}
        elif name in _RANGES:
            where[name] = _bounds(name, value)
        elif name in (*_WORDS, *_SWITCHES):
            where[name] = value
        else:
            where[name] = [each.strip() for each in value.split(",")]
    return where


def _bounds(name: str, said: str) -> list[float | None]:
    low, dots, high = said.partition("..")
    try:
        return [float(end) if end else None for end in ((low, high) if dots else (low, low))]
    except ValueError:
        raise UsageError(f"{name} is a range, as in 118..122, 118.. or ..122, not {said!r}.") from None


def _named(gateway: Gateway, like: str) -> str:
    """The id of the sample that is meant."""
    if _ID.fullmatch(like):
        return like
    there = gateway.get("/v1/samples", text=like, limit=2)["items"]
    if len(there) != 1:
        how_many = "Several sounds have" if there else "No sound has"
        raise UsageError(f"{how_many} {like!r} in their path: give an id.")
    return str(there[0]["sample_id"])


def _show(found: Sequence[Json], limit: int, *, json: bool) -> None:
    from cli.console import err, escape, out
    from cli.show import json_lines, table

    if json:
        json_lines(found)
        return
    if not found:
        err().print("Nothing was found.")
        return
    made = table("score", "kind", "bpm", "key or note", "length", "path", "id")
    for one in found:
        sample = one.get("sample", one)
        score = f"{one['score']:.3f}" if "score" in one else ""
        made.add_row(score, *(escape(cell) for cell in _cells(sample)))
    out().print(made)
    if len(found) == limit:
        err().print("There may be more: ask for them with --limit.")


def _cells(sample: Json) -> Iterator[str]:
    yours = sample.get("yours") or {}
    bpm = yours.get("bpm") or sample["tempo"]["bpm"]
    yield yours.get("kind") or sample["kind"]["label"]
    yield "" if bpm is None else f"{bpm:g}"
    yield yours.get("key") or sample["key"]["label"] or sample["pitch"]["note"] or ""
    yield f"{sample['audio']['duration_s']:.2f} s"
    yield next((f"{file['root']}:{file['path']}" for file in sample["files"]), "")
    yield sample["sample_id"]


def _list(kept: Sequence[Json], *, json: bool) -> None:
    import json as notation

    from cli.console import err, escape, out
    from cli.show import json_lines, table

    if json:
        json_lines(kept)
    elif not kept:
        err().print("You saved no search yet: ./samplemind find kind=loop --save NAME")
    else:
        made = table("name", "what")
        for one in kept:
            said = one.get("query") or one.get("search")
            made.add_row(escape(one["name"]), escape(notation.dumps(said, ensure_ascii=False)))
        out().print(made)
