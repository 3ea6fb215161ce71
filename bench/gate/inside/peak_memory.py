"""Starts a command and writes its peak resident memory in bytes: `peak_memory.py FILE COMMAND ARGUMENTS…`.

The peak of a process begins at the memory of the process that starts it. So this small program starts the command, not
the gate. The result is the largest peak among the command and the children that it waited for, not their sum.
"""

import os
import sys


def main(file: str, *command: str) -> None:
    """End as the command ends."""
    _, status, usage = os.wait4(os.spawnvp(os.P_NOWAIT, command[0], list(command)), 0)
    with open(file, "w") as written:
        written.write(str(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)))
    code = os.waitstatus_to_exitcode(status)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(*sys.argv[1:])
