"""Serve the pages on which an agency manages its channels and reads its deliveries."""
