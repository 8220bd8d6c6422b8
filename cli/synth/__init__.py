"""A small synthesiser, numpy only: drums and tones for a demo library whose every tempo, key and note is known."""
