"""The same network, formulated more than once; `batch` is the one that trains."""
