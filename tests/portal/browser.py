"""Browsers of an agency's people."""

from collections.abc import Callable

from django.test import Client

Browser = Callable[..., Client]
