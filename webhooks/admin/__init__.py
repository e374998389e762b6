"""Register this app's pages of the back office."""

from webhooks.admin import inbound, words  # noqa: F401 (registers their pages)
