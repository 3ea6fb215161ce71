"""Says which equation of a hand-written network is wrong, and why: `scratchbench locate`."""
