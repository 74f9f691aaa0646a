"""The cellar: what differs between database engines, and nothing else."""
