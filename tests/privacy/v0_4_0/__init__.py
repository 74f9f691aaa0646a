"""The filter of 0.4.0, as it was: what no later version may show strangers more than. Never changed.

It is written out here as far as later versions may change it: the lists of kinds, the words of names, the
masks of each level, what rules and settings mean. Taken from the program are the parts that only find or
compare, and of those that hide by their rows (masks, public names, shipped patterns) a test knows the digest.
"""
