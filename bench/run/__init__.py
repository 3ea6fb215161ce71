"""`scratchbench run`: trains every backend of a suite and records what happens."""
