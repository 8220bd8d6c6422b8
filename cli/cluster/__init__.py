"""The whole cluster on one machine: a small supervisor and what it starts."""
