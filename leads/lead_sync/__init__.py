"""LinkedIn Lead Sync: connections, subscriptions, the answers behind a notification, back-fill."""
