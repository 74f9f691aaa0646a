"""Restore: a backup verified, staged, and put in the place of the live database."""
