"""Labelled music made on this machine: ``python -m benchmarks.material OUT``.

Scores, loops, arrangements, one-shots and sounds without pulse or key, rendered through whatever free sound fonts,
drum kits and corpora are installed. Nothing of what is rendered belongs in the repository; these scripts do.
"""
