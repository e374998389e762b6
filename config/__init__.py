"""Composition: settings, urls, asgi, celery, the API router, and the commands that span apps."""

__version__ = "0.1.0"
