"""Writing tempo, key and root note back into files, without touching a sample of their sound.

A writer of a format says how the new file is made of pieces of the old one and new bytes (`splice.Splice`); nothing is
decoded and nothing encoded. `rewrite` makes the file beside the old one, proves that both sound the same, and only
then takes the old one's place. What was there before can be put back to the byte.
"""
