"""What may be shown to whom? Arithmetic only: no database, no clock, no framework."""
