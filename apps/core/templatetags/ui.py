"""Components of pages: the tags of docs/ui.md, each drawn by one of templates/components/."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from secrets import token_hex
from typing import Any

from django import template
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from apps.core import drawing, static_sources
from apps.core.figures import MINUS

register = template.Library()

Number = int | float | Decimal
Values = dict[str, Any]

VERDICTS = {
    "yes": ("Yes", "good"),
    "no": ("Not yet", "bad"),
    "data": ("Needs data", "warn"),
    "early": ("Too early", "quiet"),
}


@register.inclusion_tag("components/_mark.html")
def candidate_mark(position: int, name: str = "") -> Values:
    """Draw a candidate's coloured shape; decoration unless `name` stands alone for it."""
    return {"mark": drawing.candidate_mark(position), "name": name}


@register.inclusion_tag("components/_candidate.html")
def candidate(position: int, name: str, url: str = "", note: str = "") -> Values:
    """Write a candidate: mark, name (linked), a note under it such as its host."""
    mark = drawing.candidate_mark(position)
    return {"mark": mark, "name": name, "url": url, "note": note}


@register.inclusion_tag("components/_interval_bar.html")
def interval_bar(
    low: Number | None,
    mid: Number | None,
    high: Number | None,
    position: int | None = None,
    lo: Number = 0,
    hi: Number = 1,
    ref: Number | None = None,
    label: str = "",
    width: int = 150,
) -> Values:
    """Draw an interval on the scale lo to hi in the candidate's colour, a dashed line at ref."""
    return {
        "bar": drawing.interval_bar(low, mid, high, lo=lo, hi=hi, ref=ref, width=width),
        "color": f"c{(position - 1) % drawing.COLORS + 1}" if position else "",
        "label": label or "no data",
        "known": mid is not None,
    }


@register.inclusion_tag("components/_sparkline.html")
def sparkline(
    values: Sequence[Number | None],
    label: str,
    position: int | None = None,
    width: int = 96,
    height: int = 24,
) -> Values:
    """Draw a small trend from old to new; None in `values` leaves a gap."""
    return {
        "line": drawing.sparkline(values, width=width, height=height),
        "color": f"c{(position - 1) % drawing.COLORS + 1}" if position else "",
        "label": label,
    }


@register.inclusion_tag("components/_bar.html")
def bar(value: Number | None, most: Number, label: str = "", kind: str = "") -> Values:
    """Draw value as a part of `most`; kind good, warn, bad colours it. Unlabelled = decoration."""
    return {"share": drawing.share(value, most), "label": label, "kind": kind}


@register.inclusion_tag("components/_funnel.html")
def funnel(steps: Sequence[Any]) -> Values:
    """Draw steps (.label .count, optional .note .url) as bars relative to the first."""
    most = steps[0].count if steps else 0
    return {"steps": [(step, drawing.share(step.count, most)) for step in steps]}


@register.inclusion_tag("components/_timeline.html")
def timeline_bar(segments: Sequence[drawing.Segment], label: str) -> Values:
    """Draw drawing.Segment(label, ms) steps on one bar with a key under it."""
    return {"segments": drawing.timeline(segments), "label": label}


@register.inclusion_tag("components/_verdict.html")
def verdict(
    number: int, question: str, state: str, value: str, evidence: str = "", url: str = ""
) -> Values:
    """Write one cell of the verdict strip; state is yes, no, data or early."""
    word, kind = VERDICTS[state]
    return {
        "number": number,
        "question": question,
        "word": word,
        "kind": kind,
        "value": value,
        "evidence": evidence,
        "url": url,
    }


@register.inclusion_tag("components/_stat.html")
def stat(
    label: str,
    value: Any,
    unit: str = "",
    note: str = "",
    delta: str = "",
    kind: str = "",
    url: str = "",
    help: str = "",  # noqa: A002 (the name that pages use)
    trend: Sequence[Number | None] | None = None,
) -> Values:
    """Write one tile: label, value with unit, note (interval, n), signed delta, trend line."""
    return {
        "label": label,
        "value": value,
        "unit": unit,
        "note": note,
        "delta": delta,
        "arrow": _arrow(delta),
        "kind": kind,
        "url": url,
        "help": help,
        "line": drawing.sparkline(trend, width=120) if trend else None,
        "tip_id": f"tip-{token_hex(4)}",
    }


@register.inclusion_tag("components/_delta.html")
def delta(text: str, kind: str = "") -> Values:
    """Write a signed change with its arrow; kind good or bad colours it."""
    return {"delta": text, "arrow": _arrow(text), "kind": kind}


def _arrow(text: str) -> str:
    return {"+": "↑", MINUS: "↓", "-": "↓"}.get(text[:1], "")


@register.inclusion_tag("components/_chip.html")
def chip(text: str, kind: str = "") -> Values:
    """Write a state: kind is good, warn, bad, info or quiet (default)."""
    return {"text": text, "kind": kind or "quiet"}


@register.inclusion_tag("components/_alert.html")
def alert(text: str, kind: str = "info", title: str = "", role: str = "") -> Values:
    """Write a notice; kind is info, good, warn or bad; role="alert" reads it out at once."""
    return {"text": text, "kind": kind, "title": title, "role": role}


@register.inclusion_tag("components/_empty.html")
def empty_state(
    title: str, text: str, command: str = "", url: str = "", action: str = ""
) -> Values:
    """Say what to do next where nothing is: a command to copy, or a link with its words."""
    return {"title": title, "text": text, "command": command, "url": url, "action": action}


@register.inclusion_tag("components/_code.html")
def code_block(text: str | Iterable[str], label: str = "") -> Values:
    """Show code, or lines of it, with a copy button; label names the file or shell."""
    whole = text if isinstance(text, str) else "\n".join(text)
    return {"text": whole.strip("\n"), "label": label}


@register.inclusion_tag("components/_segmented.html")
def segmented(label: str, items: Iterable[Any]) -> Values:
    """Write links (.label .url .current) as one control, such as the period picker."""
    return {"label": label, "items": items}


@register.inclusion_tag("components/_tabs.html")
def tabs(label: str, items: Iterable[Any]) -> Values:
    """Write links (.label .url .current) as tabs."""
    return {"label": label, "items": items}


@register.inclusion_tag("components/_pager.html")
def pager(newer: str | None = None, older: str | None = None, label: str = "") -> Values:
    """Write the two links of a keyset page; the keys p and n follow them."""
    return {"newer": newer, "older": older, "label": label}


@register.inclusion_tag("components/_kv.html")
def kv_list(pairs: Iterable[tuple[str, Any]] | Mapping[str, Any]) -> Values:
    """Write (term, value) pairs; None says "no data"."""
    return {"pairs": list(pairs.items()) if isinstance(pairs, Mapping) else list(pairs)}


@register.inclusion_tag("components/_field.html")
def field(bound: BoundField) -> Values:
    """Write a form field: label, control, help and errors, tied together for screen readers."""
    return {
        "field": bound,
        "check": getattr(bound.field.widget, "input_type", "") == "checkbox"
        and not bound.use_fieldset,
    }


@register.inclusion_tag("components/_form_fields.html")
def form_fields(form: Any) -> Values:
    """Write a form's own errors, its hidden fields and every visible field."""
    return {"form": form}


@register.inclusion_tag("components/_sort_header.html", takes_context=True)
def sort_header(
    context: template.Context,
    label: str,
    key: str,
    numeric: bool = True,
    help: str = "",  # noqa: A002 (the name that pages use)
    parameter: str = "sort",
) -> Values:
    """Write a column head that sorts: ?sort=key, then ?sort=-key; keeps the other parameters."""
    query = context["request"].GET.copy()
    current = query.get(parameter) or str(context.get(parameter) or "")
    descending = current == f"-{key}"
    ascending = current == key
    # Figures are asked for from the top first, names from the start.
    first, second = (f"-{key}", key) if numeric else (key, f"-{key}")
    query[parameter] = second if current == first else first
    query.pop("after", None)
    query.pop("before", None)
    return {
        "label": label,
        "query": query.urlencode(),
        "aria_sort": "descending" if descending else "ascending" if ascending else "",
        "arrow": "↓" if descending else "↑" if ascending else "",
        "numeric": numeric,
        "help": help,
        "tip_id": f"tip-{token_hex(4)}",
    }


@register.simple_block_tag
def card(content: str, title: str = "", note: str = "", level: int = 2, extra: str = "") -> str:
    """Put content into a card with a heading; extra adds classes such as card-flush."""
    values = {"content": content, "title": title, "note": note, "level": level, "extra": extra}
    return _block("components/_card.html", values)


@register.simple_block_tag
def scroll(content: str, label: str) -> str:
    """Put a wide table into its own box, scrollable by keyboard and named by label."""
    return _block("components/_scroll.html", {"content": content, "label": label})


@register.simple_block_tag
def term(content: str, definition: str) -> str:
    """Give a word its definition on hover and on focus."""
    values = {"content": content, "definition": definition, "tip_id": f"tip-{token_hex(4)}"}
    return _block("components/_term.html", values)


@register.simple_block_tag
def chart(content: str, name: str, figure: Mapping[str, Any], label: str, size: str = "") -> str:
    """Put a Plotly figure (data, layout) on the page; the content is its data table.

    name is unique on the page; label says in words what the chart shows; size is s, "" or l.
    """
    values = {
        "content": content,
        "script_id": f"figure-{name}",
        "figure": figure,
        "label": label,
        "size": size,
        "plotly_js": static("plotly/plotly.min.js"),
        "plotly_css": static("plotly/plotly.css"),
        "style_ids": " ".join(static_sources.injected_style_ids()),
    }
    return _block("components/_chart.html", values)


def _block(name: str, values: Values) -> SafeString:
    # Without the line end of the file: text may go on right behind.
    return mark_safe(render_to_string(name, values).strip())
