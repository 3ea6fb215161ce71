"""Scripts that run in the processes of a side, with that side's Python and without the rest of this project."""
