"""Numbers of advisory locks. Which locks does Daemon use in its database on a server?"""

SPACE = 0x446D6E31  # "Dmn1": the first of the two numbers of a lock, so that other programs' are others
SERVED = 1  # shared by servers while they serve; an operator who upgrades or restores has it alone
WANTED = 2  # an operator has it; servers see that, and let go of SERVED
WRITING = 3  # a transaction that writes has it to its end: one at a time, as in SQLite
COUNTING = 4  # a transaction that changes what processes count together

# Of a name that another database is about to have; the second number is the name's. A lock is of its
# database, and goes with its old name: this one is taken in a third database, and looked for in all.
EXCHANGED = 0x446D6E33
NUMBER_OF_NAME = "hashtext({}) & 2147483647"  # as the locks that are held are shown: never negative

JOBS = 0x446D6E32  # the first number of the locks of jobs; the second is that of the job
