"""The demo: a fictional bank, its customers, and a simulated model that serves it."""
