"""What is shown instead of a secret to who may not use it."""

from urllib.parse import urlsplit

MASK = "********"


def mask_url(url: str) -> str:
    """Return the scheme and host of a URL. Its path and query may be what lets somebody post."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}/{MASK}" if parts.netloc else MASK
