"""Read CSV files, and import leads from them."""
