"""What a newcomer meets: a demonstration agency, and a day of its providers' webhooks."""
