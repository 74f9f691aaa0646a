"""Server: what every door shares while the process runs. Knows no web framework, and no door."""
