"""Processes that train: the protocol, the worker, its clients, and a pool of fresh processes."""
