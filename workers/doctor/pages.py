"""A report for people: Markdown, and a page of HTML that needs nothing from anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, Final

from workers.naming import visible

Said = Mapping[str, Any]
Picture = Callable[[str], str | None]
"""Sample id -> an ``<svg>`` of its waveform, or none."""

STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top}"
    "td.n{text-align:right;white-space:nowrap}svg.bar{width:10rem;height:.8rem}.wave svg{width:100%;height:3rem}"
    ".wave{color:#0d9488}"
    "code{overflow-wrap:anywhere}h2{margin-top:2rem}li{margin:.2rem 0}.file{margin:1rem 0}"
)
_PICTURES: Final = 20
_MARKDOWN: Final = re.compile(r"([\\`*_\[\]<>|#~])")


def summary(said: Said) -> str:
    """What it comes to, in a line or two."""
    files = said["files"]
    count = "1 file" if files["all"] == 1 else f"{files['all']:,} files"
    line = f"{count}, {files['analysed']:,} analysed ({said['hours']:.2f} hours of sound)"
    parts = [f"{files['clean']:,} without a finding", f"{files['with_defects']:,} with"]
    parts += [f"{files[name]:,} {name}" for name in ("failed", "skipped", "pending") if files[name]]
    return f"{line}: {', '.join(parts)}."


def markdown(said: Said) -> str:
    """The report as Markdown."""
    out = [f"# {_md(said['title'])}", "", summary(said), ""]
    if said["defects"]:
        out += ["| files | what | what to do |", "|---:|---|---|"]
        out += [f"| {each['files']:,} | {each['title']} | {each['what_to_do']} |" for each in said["defects"]]
        out += ["", "## Worst first", ""]
    for file in said["worst"]:
        out.append(f"- **{_md(file['path'])}**")
        out += [f"  - {_md(_sentence(each))}" for each in file["findings"]]
    if said["unread"]:
        out += ["", "## Not read", "", "| files | why | such as |", "|---:|---|---|"]
        out += [f"| {e['files']:,} | {_md(e['message'])} | {_md(e['examples'][0])} |" for e in said["unread"]]
    return "\n".join(out) + "\n"


def html(said: Said, picture: Picture = lambda _: None) -> str:
    """The report as a page; `picture` draws the worst files."""
    title = _html(said["title"])
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1><p>{_html(summary(said))}</p>",
    ]
    if said["defects"]:
        parts += ["<table><tr><th></th><th>files</th><th>what</th><th>what to do</th></tr>", *_rows(said["defects"])]
        parts += ["</table><h2>Worst first</h2>"]
    parts += [_file(each, picture if n < _PICTURES else lambda _: None) for n, each in enumerate(said["worst"])]
    if said["unread"]:
        parts.append("<h2>Not read</h2><table><tr><th>files</th><th>why</th><th>such as</th></tr>")
        parts += [
            f'<tr><td class="n">{e["files"]:,}</td><td>{_html(e["message"])}</td>'
            f"<td>{'<br>'.join(f'<code>{_html(path)}</code>' for path in e['examples'][:3])}</td></tr>"
            for e in said["unread"]
        ]
        parts.append("</table>")
    return "\n".join([*parts, "</body></html>\n"])


def _rows(defects: list[Said]) -> list[str]:
    most = max(each["files"] for each in defects)
    bar = (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{0:.1f}" height="8" fill="currentColor"/></svg>'
    )
    return [
        f'<tr><td>{bar.format(100 * each["files"] / most)}</td><td class="n">{each["files"]:,}</td>'
        f"<td>{_html(each['title'])}</td><td>{_html(each['what_to_do'])}</td></tr>"
        for each in defects
    ]


def _file(file: Said, picture: Picture) -> str:
    items = "".join(f"<li>{_html(_sentence(each))}</li>" for each in file["findings"])
    drawn = picture(file["sample_id"]) if file["sample_id"] else None
    figure = f'<div class="wave">{drawn}</div>' if drawn else ""
    return f'<div class="file"><code>{_html(file["path"])}</code>{figure}<ul>{items}</ul></div>'


def _sentence(finding: Said) -> str:
    """What, where, how much."""
    at_s, amount = finding["at_s"], finding["amount"]
    where = "" if at_s is None else f" At {at_s:.3f} s."
    unit = _UNITS.get(finding["code"])
    how_much = "" if amount is None or unit is None else f" {unit.format(abs(amount))}"
    return f"{finding['message']}{where}{how_much}"


_UNITS: Final[Mapping[str, str]] = {
    "clipping": "{:,.0f} runs of samples.",
    "silent_head": "{:.2f} s long.",
    "silent_tail": "{:.2f} s long.",
    "dc_offset": "By {:.1%} of full scale.",
    "click_at_seam": "A step of {:.1%} of full scale.",
    "non_finite_samples": "{:,.0f} samples.",
    "upsampled": "It breaks off at {:,.0f} Hz.",
    "padded_bits": "{:.0f} bits are used.",
}


def _md(text: str) -> str:
    one_line = visible(" ".join(text.split()))
    return _MARKDOWN.sub(r"\\\1", one_line)


def _html(text: str) -> str:
    return escape(visible(text))
