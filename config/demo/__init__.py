"""Set up a demonstration agency for newcomers, and play a day of its providers' webhooks."""
