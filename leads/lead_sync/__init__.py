"""LinkedIn Lead Sync: the connection, the subscriptions, the answers behind a notification, the archive."""
