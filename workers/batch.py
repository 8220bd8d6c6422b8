"""The same analysis on this machine's cores, without a cluster."""
