"""The console command `scratchbench`. An own name: the current folder may hold a module `bench` of somebody else's."""

import os
import sys


def main() -> None:
    """Take the current folder off the path, then run the command that the arguments name."""
    _leave_current_folder_out()
    from bench.__main__ import main as run

    run()


def _leave_current_folder_out() -> None:
    """An empty entry of PYTHONPATH, as in `PYTHONPATH=:/x`, stands for that folder, which may be a stranger's.

    It stays where this project lies in it, and where PYTHONPATH names it.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if "" not in given or len(given) == 1:  # an empty PYTHONPATH has no entry at all
        return
    kept = [os.path.dirname(os.path.abspath(__file__)), *(os.path.abspath(entry) for entry in given if entry)]
    folder = os.getcwd()
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != folder or folder in kept]
