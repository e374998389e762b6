"""Define the portal's own widgets."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString


class LongSelect(forms.Select):
    """Render a select of many choices. Django renders two templates for each, which takes 30 ms a hundred."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        attributes = flatatt(self.build_attrs(self.attrs, {"name": name, **(attrs or {})}))
        return format_html("<select{}>{}</select>", attributes, _options(self.choices, self.format_value(value)))


def _options(choices: Iterable[Any], chosen: Iterable[str]) -> SafeString:
    """Return the options, and those of a group within it."""
    return format_html_join("\n", "{}", ((_option(key, label, chosen),) for key, label in choices))


def _option(key: Any, label: Any, chosen: Iterable[str]) -> SafeString:
    if isinstance(label, list | tuple):
        return format_html('<optgroup label="{}">{}</optgroup>', key, _options(label, chosen))
    return format_html('<option value="{}"{}>{}</option>', key, " selected" if str(key) in chosen else "", label)
