"""Compose the apps: settings, URLs, ASGI, Celery, the API, and the commands that span apps."""

__version__ = "0.1.0"
