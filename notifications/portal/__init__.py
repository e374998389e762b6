"""The pages on which an agency sets up where it is told, and reads what it was told."""
