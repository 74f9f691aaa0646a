"""Formats of other programs. What does a file from elsewhere hold, in the kinds of Daemon? Pure functions."""
