"""Define this app's resources of the REST API."""
