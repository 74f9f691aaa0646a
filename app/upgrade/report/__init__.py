"""Report: what an upgrade says while it runs and at its end, as text and as JSON."""
