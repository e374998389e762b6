"""Define `{% load pictures %}`: pictures that the server draws as SVG. docs/portal.md shows each.

They have classes, no style of their own: the content security policy takes none, and light and dark are the page's.
"""

import json
from collections.abc import Sequence
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.core.markup import NOTHING, Tone
from accounts.web.portal.pictures import Bar, Segment, Strip, Trend, percent

register = template.Library()
CHART_MODULE = "vendor/chartjs/chart.js"
WIDTH, HEIGHT = 120, 32  # of a sparkline
STEP, BAR_HEIGHT = 10, 100  # of stacked bars
#: Where segments of a strip begin: what is wrong is higher, for who cannot tell colours apart.
TOPS: dict[Tone, int] = {"bad": 0, "warn": 3, "busy": 6, "good": 6, "quiet": 13}
SERIES = 6  # colours that tell series apart; a seventh is drawn like the sixth


@register.simple_tag
def sparkline(values: Sequence[float], label: str, *, before: int = 0) -> SafeString:
    """Draw a line of values without axes. The first `before` of them are an earlier time, and paler.

    Screen readers hear the label and the values.
    """
    points = _points(values)
    now = points[max(before - 1, 0) :]
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}: {}">'
        '<path class="spark-area" d="{}"></path><path class="spark-before" d="{}"></path>'
        '<path class="spark-now" d="{}"></path></svg>',
        WIDTH,
        HEIGHT,
        label,
        ", ".join(f"{value:g}" for value in values) or _("no data"),
        _area(now),
        _line(points[:before]),
        _line(now),
    )


@register.simple_tag
def trend(found: Trend, *, tone: bool = True) -> SafeString:
    """Write by how much a number grew or fell. With `tone`, growth is good."""
    look = {"up": "good", "down": "bad"}.get(found.direction, "quiet") if tone else "quiet"
    sign = {"up": "▲", "down": "▼"}.get(found.direction, "–")
    text = found.change or (_("new") if found.now else _("none"))
    return format_html('<span class="trend trend-{}"><span aria-hidden="true">{}</span> {}</span>', look, sign, text)


@register.simple_tag
def uptime_strip(found: Strip | Sequence[Segment], label: str = "", *, begin: str = "", end: str = "") -> SafeString:
    """Draw a strip: one segment a day of a `Strip`, or any segments, wide as their weights are.

    `begin` and `end` stand below its ends, the label between them. Screen readers hear the label; without one they skip
    the strip, which then stands beside words that say as much.
    """
    strip = found if isinstance(found, Strip) else Strip(list(found), label, begin, end)
    whole = sum(segment.weight for segment in strip.segments) or 1
    is_even = len({segment.weight for segment in strip.segments}) == 1
    gap = min(WIDTH / (len(strip.segments) or 1) * 0.15, 0.6) if is_even else 0
    at, parts = 0.0, []
    for segment in strip.segments:
        width = segment.weight / whole * WIDTH
        top = TOPS[segment.tone]
        parts.append((segment.tone, f"{at:.2f}", top, f"{max(width - gap, 0.3):.2f}", 20 - top, segment.title))
        at += width
    return format_html(
        '<figure class="strip"><svg viewBox="0 0 {} 20" preserveAspectRatio="none" {}>{}</svg>'
        "<figcaption><span>{}</span><span>{}</span><span>{}</span></figcaption></figure>",
        WIDTH,
        format_html('role="img" aria-label="{}"', strip.label) if strip.label else SafeString('aria-hidden="true"'),
        format_html_join(
            "", '<rect class="fill-{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>', parts
        ),
        strip.begin,
        strip.label,
        strip.end,
    )


@register.simple_tag
def stacked_bars(bars: Sequence[Bar], series: Sequence[str], *, line: Sequence[int] = (), name: str = "") -> SafeString:
    """Draw stacked bars with a legend, each bar a link for the mouse; perhaps a dashed line across, called `name`.

    Put a table with the same numbers and links under it: the picture is hidden from screen readers and the keyboard.
    """
    highest = max(bars, key=lambda bar: bar.total, default=Bar("", []))
    most = max(highest.total, *line, 1)
    drawn = SafeString("".join(_bar(bar, number * STEP, most, series) for number, bar in enumerate(bars)))
    points = [(number * STEP + STEP / 2, BAR_HEIGHT * (1 - value / most)) for number, value in enumerate(line)]
    return format_html(
        '<div class="bars" aria-hidden="true"><p class="legend">{}</p>'
        '<div class="bars-plot"><p class="bars-most">{}</p><svg viewBox="0 0 {} {}" '
        'preserveAspectRatio="none">{}<path class="bars-line" d="{}"></path></svg>'
        '<p class="bars-ends"><span>{}</span><span>{}</span></p></div></div>',
        _legend(series, name if line else ""),
        highest.text if highest.text and most == highest.total else most,
        len(bars) * STEP or STEP,
        BAR_HEIGHT,
        drawn,
        _line(points),
        bars[0].label if bars else "",
        bars[-1].label if bars else "",
    )


@register.simple_tag
def chart(bars: Sequence[Bar], series: Sequence[str], *, line: Sequence[int] = (), name: str = "") -> SafeString:
    """Draw stacked bars that `leadline/charts.js` makes into a chart which tells its numbers when pointed at."""
    data = {
        "labels": [bar.label for bar in bars],
        "urls": [bar.url for bar in bars],
        "series": [
            {"name": str(title), "values": [bar.values[number] for bar in bars]} for number, title in enumerate(series)
        ],
        "line": {"name": str(name), "values": list(line)},
        "total": _("Total"),
    }
    return format_html(
        '<div class="chart" data-module="{}" data-chart="{}">{}</div>',
        static(CHART_MODULE),
        json.dumps(data, ensure_ascii=False, separators=(",", ":")),
        stacked_bars(bars, series, line=line, name=name),
    )


@register.simple_tag
def share_bar(share: float | None) -> SafeString:
    """Write a share of a whole beside a bar that is as long."""
    if share is None:
        return format_html('<span class="dash">{}</span>', NOTHING)
    return format_html(
        '<span class="share"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="10"></rect>'
        '<rect class="fill-good" width="{}" height="10"></rect></svg> {}</span>',
        f"{100 * share:.1f}",
        percent(share, 1),
    )


@register.filter
def at(row: Sequence[Any], number: int) -> Any:
    """Return an element of a sequence by its number."""
    return row[number]


def _points(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return where the values lie. The base is zero, or just below the least of values that are close together."""
    if not values:
        return []
    least, most = min(values), max(values)
    base = 0.0 if least <= most / 2 else least - (most - least or most)
    height = (most - base) or 1
    step = WIDTH / max(len(values) - 1, 1)
    return [(n * step, HEIGHT - 2 - (value - base) / height * (HEIGHT - 4)) for n, value in enumerate(values)]


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if n else 'M'}{x:.1f} {y:.1f}" for n, (x, y) in enumerate(points))


def _area(points: Sequence[tuple[float, float]]) -> str:
    if not points:
        return ""
    return f"{_line(points)}L{points[-1][0]:.1f} {HEIGHT}L{points[0][0]:.1f} {HEIGHT}Z"


def _bar(bar: Bar, x: int, most: int, series: Sequence[str]) -> SafeString:
    """Draw one bar, and all of the height above it as something to point at."""
    top, parts = float(BAR_HEIGHT), []
    for number, value in enumerate(bar.values):
        if value:
            height = value / most * BAR_HEIGHT
            top -= height
            parts.append((_colour(number), x + 1, f"{top:.2f}", STEP - 2, f"{height:.2f}"))
    return format_html(
        '<a{}>{}<rect class="hit" x="{}" width="{}" height="{}"><title>{}</title></rect></a>',
        format_html(' href="{}" tabindex="-1"', bar.url) if bar.url else "",
        format_html_join("", '<rect class="series-{}" x="{}" y="{}" width="{}" height="{}"></rect>', parts),
        x,
        STEP,
        BAR_HEIGHT,
        _title_of(bar, series),
    )


def _legend(series: Sequence[str], line: str) -> SafeString:
    swatches = [(f"series-{_colour(number)}", name) for number, name in enumerate(series)]
    swatches += [("swatch-line", line)] if line else []
    return format_html_join("", '<span><span class="swatch {}"></span>{}</span>', swatches)


def _title_of(bar: Bar, series: Sequence[str]) -> str:
    parts = [f"{name} {value}" for name, value in zip(series, bar.values, strict=True) if value]
    return f"{bar.label}: {bar.total_text}" + (f" ({', '.join(parts)})" if len(parts) > 1 else "")


def _colour(number: int) -> int:
    return min(number, SERIES - 1) + 1
