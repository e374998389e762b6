"""Keep target lists: companies by name or domain, read from CSV files, that conditions can ask about."""
