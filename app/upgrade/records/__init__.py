"""Records: history, last attempt, and the block on automatic upgrades."""
