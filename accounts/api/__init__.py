"""Define the API resources of the accounts app."""
