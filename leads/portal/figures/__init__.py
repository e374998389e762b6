"""The pages of reports on leads and accounts: a chart, a table whose numbers open their leads, and files."""
