"""Define `{% load backoffice %}`: the way up from a page of the back office."""

from typing import Any

from django import template
from django.contrib import admin
from django.template import Context
from django.urls import reverse
from django.utils.text import Truncator

from config.backoffice.menu import group_of, page_of, title_of

register = template.Library()


@register.inclusion_tag("admin/crumbs.html", takes_context=True)
def crumbs(context: Context, leaf: str = "") -> dict[str, Any]:
    """Render the way up: the overview, the menu's group, the list, the object, and `leaf`, the page itself."""
    opts, found = context.get("opts"), [("Overview", reverse("admin:index"))]
    page = page_of(admin.site, opts) if opts else None
    if page is None:
        return {"crumbs": [*found, (leaf or str(context.get("title", "")), "")]}
    name = f"{page.opts.app_label}_{page.opts.model_name}"
    obj = context.get("original") or context.get("object")
    is_list = obj is None and not context.get("add")
    may_list = page.has_view_or_change_permission(context["request"])
    found += [
        (group_of(page), ""),
        (title_of(page), reverse(f"admin:{name}_changelist") if may_list and not is_list else ""),
    ]
    if context.get("add"):
        found.append((f"Add {page.opts.verbose_name}", ""))
    elif obj is not None:
        url = reverse(f"admin:{name}_change", args=[obj.pk]) if leaf else ""
        found.append((Truncator(str(obj)).words(18), url))
    return {"crumbs": [*found, (leaf, "")] if leaf else found}
