"""Define `{% load parts %}`: the parts of which pages of the portal are made. docs/portal.md shows each."""

from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.core.markup import Tone
from accounts.web.portal.sorting import Head

register = template.Library()
SPRITE = "vendor/tabler/icons.svg"
NO_HEAD = _("Actions")  # the head of a column of buttons, for screen readers alone


@register.simple_tag
def icon(name: str, *, look: str = "") -> SafeString:
    """Render one of Tabler's icons. It stands beside words that say the same: screen readers skip it."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {look}" if look else "",
        static(SPRITE),
        name,
    )


@register.simple_block_tag
def card(
    content: str, title: str = "", *, anchor: str = "", icon: str = "", look: str = "", flush: bool = False
) -> SafeString:
    """Render a card with a heading. `flush` lets a table or a list reach its edges."""
    head = format_html('<div class="card-header"><h2 class="card-title">{}{}</h2></div>', _icon_before(icon), title)
    return format_html(
        '<section class="card {}"{}>{}{}</section>',
        look,
        format_html(' id="{}"', anchor) if anchor else "",
        head if title else "",
        content if flush else format_html('<div class="card-body">{}</div>', content),
    )


@register.simple_block_tag
def table(content: str, *heads: str | Head, fixed: bool = False) -> SafeString:
    """Render a table under its column heads. Its rows are the content. On a phone each row is a block, and each cell
    is headed by its `data-label`.

    A `Head` sorts the list. The columns of a `fixed` table are as wide whatever they hold; `cols-…` classes set them.
    """
    columns = format_html_join("", "{}", ((_column(head),) for head in heads))
    return format_html(
        '<div class="table-responsive"><table class="table table-vcenter card-table{}">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        " fixed" if fixed else "",
        columns,
        content,
    )


@register.simple_block_tag
def empty_state(content: str, title: str, *, icon: str = "inbox") -> SafeString:
    """Render what stands where there is nothing yet: what that means, and what to do."""
    return format_html(
        '<div class="empty"><div class="empty-icon">{}</div><p class="empty-title">{}</p>'
        '<div class="empty-subtitle">{}</div></div>',
        _icon(icon),
        title,
        content,
    )


@register.simple_block_tag
def tile(content: str, number: object, label: str, url: str, *, tone: Tone = "quiet", icon: str = "") -> SafeString:
    """Render a figure that leads to what it counts. The content, a sparkline or a line of text, stands below it."""
    return format_html(
        '<li class="card tile tile-{}"><a href="{}"><span class="tile-label">{}{}</span> <strong>{}</strong></a>'
        "{}</li>",
        tone,
        url,
        _icon_before(icon),
        label,
        number,
        content.strip() and format_html('<div class="tile-more">{}</div>', content),
    )


@register.simple_block_tag(takes_context=True)
def filters(context: template.Context, content: str, *, submit: str = "", **attributes: Any) -> SafeString:
    """Render the filters over a list, which are kept in the address. `filtered` in the page's context: some are set."""
    clear = format_html('<a class="btn btn-ghost-secondary" href="?">{}</a>', _("Clear"))
    return format_html(
        '<form method="get" class="card filters" role="search"{}>{}<div class="btn-list">'
        '<button type="submit" class="btn">{}</button>{}</div></form>',
        format_html_join("", ' {}="{}"', ((name.replace("_", "-"), value) for name, value in attributes.items())),
        content,
        submit or str(_("Apply")),
        clear if context.get("filtered") else "",
    )


@register.inclusion_tag("portal/parts/tabs.html")
def tabs(name: str, links: Any) -> dict[str, Any]:
    """Render the views of one list. Each link has a `title`, a `url`, perhaps a `count`, and may be `current`."""
    return {"name": name, "links": links}


@register.filter
def tone_of(number: object, tone: Tone) -> Tone:
    """Return the tone of a figure that should be zero: quiet where it is."""
    return "quiet" if str(number) == "0" else tone


@register.filter
def many(number: object, words: str) -> str:
    """Return the first of two words for `1`, else the second: `{{ count|many:_("lead,leads") }}`. `99+` are many."""
    one, more = words.split(",", 1)
    return one if str(number) == "1" else more


def _column(head: str | Head) -> SafeString:
    if isinstance(head, Head):
        return _sorted_column(head)
    text = head or format_html('<span class="visually-hidden">{}</span>', NO_HEAD)
    return format_html('<th scope="col">{}</th>', text)


def _sorted_column(head: Head) -> SafeString:
    sign = {
        "ascending": "arrow-up",  # icon: arrow-up
        "descending": "arrow-down",  # icon: arrow-down
    }.get(head.direction, "selector")
    return format_html(
        '<th scope="col"{}><a class="sort" href="{}">{} {}</a></th>',
        format_html(' aria-sort="{}"', head.direction) if head.direction else "",
        head.url,
        head.title,
        icon(sign),
    )


def _icon(name: str) -> SafeString:
    return icon(name)


def _icon_before(name: str) -> SafeString | str:
    return format_html("{} ", icon(name)) if name else ""
