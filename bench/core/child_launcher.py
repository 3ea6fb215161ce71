"""The first program of every Python process that this project starts: `child_launcher.py PARENT NAME ARGUMENTS`.

It binds the life of the process to that of its parent, leaves the current folder, then runs NAME: a module, or a
script (`….py`). Paths among the arguments must be absolute.
It is run as a script and imports the standard library only, because a process may have to import another revision.
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, even while it is stopped (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def leave_current_folder() -> None:
    """Some libraries read settings there, as Numba does from `.numba_config.yaml`; it may be a stranger's folder."""
    os.chdir(os.sep)


def _launch(parent: str, name: str) -> None:
    end_with(int(parent))
    leave_current_folder()
    del sys.argv[:2]
    if name.endswith(".py"):
        runpy.run_path(name, run_name="__main__")
    else:
        runpy.run_module(name, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _launch(*sys.argv[1:3])
