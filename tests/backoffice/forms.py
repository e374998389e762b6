"""Forms of the back office, as a browser sends them."""

from typing import Any

from django.test import Client


def form_of(client: Client, page: str) -> dict[str, Any]:
    """What a browser would send back unchanged."""
    form = client.get(page).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}
