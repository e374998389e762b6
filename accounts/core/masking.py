"""Hide secrets from people who may not use them."""

from urllib.parse import urlsplit

MASK = "********"


def mask_url(url: str) -> str:
    """Return the scheme and host of a URL. The path and query are hidden, because they may authorise a post."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}" if parts.netloc else MASK
