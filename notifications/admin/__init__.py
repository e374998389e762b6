"""The back office's pages for what goes out."""

from notifications.admin import channels, deliveries

__all__ = ["channels", "deliveries"]
