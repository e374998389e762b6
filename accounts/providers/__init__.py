"""What Leadline asks of providers' own APIs. What they deliver to us is the business of `webhooks.providers`."""
