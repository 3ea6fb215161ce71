"""The same network in several formulations; `batch` is the one that trains."""
