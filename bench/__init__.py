"""The benchmark: one spec, several backends, identical work, records that every table and plot is derived from."""
