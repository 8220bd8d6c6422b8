"""What `benchmarks.compare` is made of: one side's process, turns, noise, verdicts, the page."""
