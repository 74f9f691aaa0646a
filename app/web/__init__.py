"""The web door: translates HTTP into questions for the rooms, and decides nothing."""
