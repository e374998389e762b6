"""The resources of the REST API that this app has."""
