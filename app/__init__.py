"""Daemon: a personal API that a person hosts themselves. This file holds its version and nothing else."""

__version__ = "0.9.0.dev0"
