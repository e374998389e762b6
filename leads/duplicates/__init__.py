"""Propose that leads are one person, and remember what people decided."""
