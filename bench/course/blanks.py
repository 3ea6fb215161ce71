"""Turns a solution into an exercise: the code between the markers becomes a blank."""

import re

BLOCK = re.compile(r"^( *)# BEGIN SOLUTION\n.*?^ *# END SOLUTION\n", re.MULTILINE | re.DOTALL)
BLANK = "{0}# YOUR CODE HERE\n{0}raise NotImplementedError\n"


def blanked(solution: str) -> str:
    """The text of an exercise."""
    return BLOCK.sub(lambda block: BLANK.format(block[1]), solution)
