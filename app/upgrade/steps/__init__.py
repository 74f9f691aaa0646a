"""Steps: what an upgrade consists of, and how it is applied and repaired."""
