"""What happened, as append-only JSON lines. Everything else is derived from them."""
