"""Facts from /proc and /sys. A missing file or unexpected content gives None, never an error.

Only Linux has these files.
"""

import re
from collections.abc import Iterator
from pathlib import Path

PROC, SYS = Path("/proc"), Path("/sys")

NO_LIMIT = 2**60
"""Bytes; version 1 of the control groups writes a limit beyond it where there is none."""


def text(path: Path) -> str | None:
    """Content of a file without blanks at its ends; None where there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip() or None
    except (OSError, ValueError):
        return None


def number(path: Path) -> int | None:
    """The whole number, 0 or more, that a file holds; None of anything else."""
    return whole(text(path))


def whole(written: str | None) -> int | None:
    """The whole number, 0 or more, that a text is; None of anything else."""
    return int(written) if written and re.fullmatch("[0-9]{1,19}", written) else None


def field(path: Path, name: str) -> str | None:
    """Value of the first `name: value` line of a file; None where there is none."""
    pairs = (line.partition(":") for line in (text(path) or "").splitlines())
    return next((value.strip() for key, _, value in pairs if key.strip() == name), None)


def cpu_flags() -> frozenset[str]:
    """Instructions of the first processor; empty where the kernel does not list them."""
    found = re.search(r"^(?:flags|Features)\s*:(.*)$", text(PROC / "cpuinfo") or "", re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def cpu_texts(name: str) -> set[str]:
    """What the file `name` of each processor's cpufreq says."""
    files = (SYS / "devices/system/cpu").glob(f"cpu[0-9]*/cpufreq/{name}")
    return {found for file in files if (found := text(file)) is not None}


def bracketed(path: Path) -> str | None:
    """The choice in brackets: `madvise` of `always [madvise] never`."""
    found = re.search(r"\[(\w+)\]", text(path) or "")
    return found[1] if found else None


def cpu_limit() -> float | None:
    """CPU limit of this process's control groups and of all that hold them, in cores; None without a limit."""
    return min((limit for folder in groups("cpu") for limit in _limits(folder)), default=None)


def throttling() -> tuple[int, int]:
    """In how many periods this process's CPU groups have had to wait so far, and how many periods they had."""
    counts = (_counts(text(folder / "cpu.stat") or "") for folder in groups("cpu"))
    return max(counts, default=(0, 0))


def memory_left() -> int | None:
    """Bytes that the tightest memory limit of this process's groups still allows; None without a limit."""
    lefts = (_left(folder) for folder in groups("memory"))
    return min((left for left in lefts if left is not None), default=None)


def swapped_in() -> int:
    """Pages read back from swap since the machine started."""
    return _field(text(PROC / "vmstat") or "", "pswpin")


def groups(controller: str) -> Iterator[Path]:
    """Folders of this process's control groups and of all that hold them: version 2 has one tree, version 1 many."""
    for line in (text(PROC / "self/cgroup") or "").splitlines():
        _, controllers, path = (*line.split(":", 2), "-", "-")[:3]
        if controllers == "" or controller in controllers.split(","):
            tree = SYS / "fs/cgroup" / (controller if controllers else "")
            group = Path(path.lstrip("/"))
            yield from (tree / folder for folder in (group, *group.parents))


def _limits(group: Path) -> Iterator[float]:
    """Quota over period, as version 2 (`cpu.max`) and version 1 (`cpu.cfs_*_us`) write it; no limit is `max` or -1."""
    version_1 = f"{text(group / 'cpu.cfs_quota_us')} {text(group / 'cpu.cfs_period_us')}"
    for written in (text(group / "cpu.max") or "", version_1):
        numbers = written.split()
        if len(numbers) == 2 and all(one.isdigit() for one in numbers):
            yield int(numbers[0]) / int(numbers[1])


def _counts(statistics: str) -> tuple[int, int]:
    return _field(statistics, "nr_throttled"), _field(statistics, "nr_periods")


def _field(statistics: str, name: str) -> int:
    found = re.search(rf"^{name} ([0-9]{{1,19}})$", statistics, re.MULTILINE)
    return int(found[1]) if found else 0


def _left(group: Path) -> int | None:
    """Limit less use; version 2 writes no limit as `max`, version 1 as a number that no machine has."""
    for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        allowed, taken = number(group / limit), number(group / used)
        if allowed is not None and taken is not None and allowed < NO_LIMIT:
            return max(0, allowed - taken)
    return None
