"""Old databases: which are they, what brings them up to date, and was nothing lost?"""
