"""A worker process: its core, its thread caps, its warm kernels."""
