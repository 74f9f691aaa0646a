"""Installation identity. Which installation is this database, and whose is a backup?

The table `installation` has one row at most; its id is drawn at random when a database is made or upgraded.
"""
