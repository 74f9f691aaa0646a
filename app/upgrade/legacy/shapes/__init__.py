"""Which odd old databases were seen in the wild? One file each; a new one is added here and nowhere else.

Each file says, under names for people, which CREATE statements make its tables (``SCHEMAS``), whether every
value of such a table is kept apart before it is adopted (``KEEP_VALUES``), and how it is adopted:
``adopt(bind, table)`` turns the table into its canonical form inside the caller's transaction. It returns
sentences for the report, and for each old row id the key under which the row's values stand now, so that
columns which the owner added find their rows again. The files import nothing from the rest of this project:
they must mean the same in ten years.
"""
