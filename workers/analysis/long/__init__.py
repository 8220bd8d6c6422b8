"""Files too long to be held: measured while they go by, in memory that does not grow with them.

Levels, defects, envelope, spectrum and pictures are of the whole; tempo and key of windows spread over it
(docs/decisions/0020-long-files-go-by.md).
"""
