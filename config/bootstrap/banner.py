"""Print what `make run` tells people before it serves. Standard library only."""

import sys

from config.bootstrap.envfile import ROOT
from config.bootstrap.state import settings
from config.demo.first_start import FirstStart


def print_banner(made: FirstStart | None) -> None:
    """Print where to look, and the secrets if they were just made."""
    known = settings()
    url = known.get("PUBLIC_URL", "").rstrip("/")
    lines = [
        "",
        f"Leadline starts on {url}",
        "",
        _line("for agencies", f"{url}/"),
        _line("back office", f"{url}/admin/"),
        _line("API, explained", f"{url}/api/v1/docs"),
        _line("is it up?", f"{url}/healthz and {url}/readyz"),
    ]
    if not known.get("EMAIL_URL"):
        lines.append(_line("outgoing mail", str(ROOT / "var" / "mail")))
    lines += _secrets(made) if made else _reminder()
    lines += ["", "A day of webhooks, from a second terminal: make demo. Ctrl-C stops everything.", ""]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _secrets(made: FirstStart) -> list[str]:
    lines = [
        "",
        "Made on this first start, and shown only now:",
        "",
        _line("staff user", made.username),
        _line("password", made.password),
        _line("agency's owner", made.owner),
        _line("their password", made.owner_password),
        _line("demo agency", f"{made.agency} (company id {made.company_id})"),
        _line("API key", made.api_key),
        "",
        "  Where each provider delivers to:",
    ]
    for source in made.sources:
        lines += [_line(source.provider, source.webhook_url), _line("", source.note)]
    return lines


def _reminder() -> list[str]:
    return [
        "",
        "  Passwords, keys and secrets were shown on the first start only. To have new ones:",
        _line("password", ".venv/bin/python manage.py changepassword admin"),
        _line("API key", "the back office, API keys"),
        _line("sources", "POST /api/v1/sources/{id}/rotate-secret, or the back office, Sources"),
    ]


def _line(name: str, value: str) -> str:
    return f"  {name:<18}{value}"
