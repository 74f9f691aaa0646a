"""Assistants' door (Model Context Protocol). Translates tool calls for the rooms, and their answers back."""
