"""Forms, one row a version: asked for once, since a published version never changes."""

import re
from collections.abc import Mapping
from typing import Any

from accounts.models import Agency
from accounts.providers.linkedin import Api, LinkedInError, Trouble, encoded
from leads.lead_sync.form_answers import tidy
from leads.models import LeadForm

_URN = re.compile(r"urn:li:versionedLeadGenForm:\(urn:li:leadGenForm:([0-9]{1,24}),\s*([0-9]{1,10})\)")


def form_named(agency: Agency, urn: str, api: Api) -> Mapping[str, Any]:
    """The content of a form's version; empty where LinkedIn no longer shows it. Raises LinkedInError.

    `/rest/leadForms` shows a form's newest version. Where that is another one than the lead was sent with, it stands
    in: question ids stay as they are from version to version.
    """
    found = _URN.fullmatch(urn)
    if found is None:
        return {}
    form_id, version = found.groups()
    known = LeadForm.objects.filter(agency=agency, form_id=form_id, version=version).first()
    if known is not None:
        return dict(known.content)
    try:
        content = api.get(f"leadForms/{encoded(form_id)}")
    except LinkedInError as error:
        if error.trouble is Trouble.NOT_FOUND:
            return {}
        raise
    if not isinstance(content, dict):
        return {}
    for shown in {version, str(content.get("versionId", version))}:
        keep(agency, form_id, shown, content)
    return content


def keep(agency: Agency, form_id: str, version: str, content: Mapping[str, Any]) -> None:
    LeadForm.objects.get_or_create(
        agency=agency,
        form_id=form_id,
        version=version[:16],
        defaults={"name": tidy(content.get("name"), 300), "content": _storable(content)},
    )


def _storable(value: Any) -> Any:
    """JSON as both databases take it: PostgreSQL refuses NUL and lone surrogates."""
    if isinstance(value, str):
        return tidy(value, 20_000)
    if isinstance(value, dict):
        return {tidy(name, 200): _storable(inner) for name, inner in value.items()}
    return [_storable(inner) for inner in value] if isinstance(value, list) else value
