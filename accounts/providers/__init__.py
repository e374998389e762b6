"""Call the providers' own APIs. `webhooks.providers` reads what providers deliver."""
