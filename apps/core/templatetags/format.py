"""Filters that write figures; the rules are in apps/core/figures.py."""

from datetime import UTC, datetime
from decimal import Decimal

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.core import figures

register = template.Library()

NONE = mark_safe(
    '<span class="none"><span aria-hidden="true">–</span><span class="sr">no data</span></span>'
)


def _decimal(value: Decimal | float | None) -> Decimal | None:
    return value if value is None or isinstance(value, Decimal) else Decimal(str(value))


def _said(text: str) -> str:
    return NONE if text == figures.NO_DATA else text


@register.filter
def money(usd: Decimal | float | None) -> str:
    """Write US dollars: $1,840, $1.23, $0.031."""
    return _said(figures.money(_decimal(usd)))


@register.filter
def percent(fraction: Decimal | float | None, digits: int | None = None) -> str:
    """Write a fraction of 1 as percent: 78%, 0.4%."""
    return _said(figures.percent(fraction, digits))


@register.filter
def points(difference: Decimal | float | None) -> str:
    """Write a difference of fractions: +4 pts."""
    return _said(figures.points(difference))


@register.filter
def number(value: Decimal | float | None, digits: int = 0) -> str:
    """Write a number with thousands separators."""
    return _said(figures.number(value, digits))


@register.filter
def signed(value: Decimal | float | None, digits: int = 0) -> str:
    """Write a number with its sign: +3, a true minus before 1.5, ±0."""
    return _said(figures.signed(value, digits))


@register.filter
def ms(value: Decimal | float | None) -> str:
    """Write milliseconds in the unit that fits: 420 ms, 1.3 s."""
    return _said(figures.milliseconds(value))


@register.filter
def seconds(value: Decimal | float | None) -> str:
    """Write milliseconds in seconds: 0.42 s."""
    return _said(figures.seconds(value))


@register.filter
def tokens(value: Decimal | float | None) -> str:
    """Write a count in three digits: 12.3k."""
    return _said(figures.compact(value))


@register.simple_tag
def interval(low: float | None, high: float | None, kind: str = "percent", digits: int = 0) -> str:
    """Write an interval's bounds; kind is percent (of fractions), number or money."""
    if kind == "percent":
        return _said(figures.percent_interval(low, high, digits))
    if kind == "number":
        return _said(figures.interval(low, high, digits))
    if kind == "money":
        return _said(figures.money_range(_decimal(low), _decimal(high)))
    raise template.TemplateSyntaxError(f"interval: unknown kind {kind!r}")


@register.simple_tag(takes_context=True)
def ago(context: template.Context, moment: datetime | None) -> str:
    """Write a moment relative to the page's `now` (or the clock), its UTC time on hover."""
    if moment is None:
        return NONE
    return _time(moment, figures.relative_time(moment, context.get("now") or timezone.now()))


@register.filter
def moment(value: datetime | None, style: str = "j M H:i") -> str:
    """Write a moment in the current time zone, its UTC time on hover."""
    if value is None:
        return NONE
    return _time(value, template.defaultfilters.date(timezone.localtime(value), style))


def _time(value: datetime, text: str) -> SafeString:
    utc = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        text,
    )
