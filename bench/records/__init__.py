"""The records of a run: what happened, as append-only JSON lines. Everything else is derived from them."""
