"""Register the back office's pages for channels and deliveries."""

from notifications.admin import channels, deliveries

__all__ = ["channels", "deliveries"]
