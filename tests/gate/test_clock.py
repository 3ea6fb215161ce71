"""The clock of a side subtracts what other programs took, and nothing that the side itself causes."""

import time

import pytest

from bench.gate.inside import clock as clocks
from bench.gate.inside.clock import Clock


@pytest.mark.parametrize(
    ("threads", "wall", "processor", "displaced", "seconds"),
    [
        (1, 1.0, 1.0, 0.0, 1.0),
        (1, 1.5, 1.0, 0.5, 1.0),  # another program had the core for half a second
        (1, 1.5, 1.0, 0.0, 1.5),  # it slept, or waited for a file: that is its own
        (1, 1.5, 1.5, 0.5, 1.5),  # a thread of its own was in its way: that is its own, too
        (1, 1.0, 2.0, 0.0, 1.0),  # a thread of its own on another core is in nobody's way
        (2, 1.5, 1.0, 0.5, 1.5),
    ],
)
def test_only_what_other_programs_took_is_taken_off(monkeypatch, threads, wall, processor, displaced, seconds):
    readings = iter([(10.0, 20.0, 30.0), (10.0 + wall, 20.0 + processor, 30.0 + displaced)])
    monkeypatch.setattr(Clock, "_now", lambda self: next(readings))
    assert Clock(threads).read() == pytest.approx((seconds, wall, processor))


def test_a_sleep_counts():
    clock = Clock(1)
    time.sleep(0.05)
    assert clock.read()[0] >= 0.045


def test_a_kernel_that_does_not_say_leaves_the_wall_clock(monkeypatch):
    monkeypatch.setattr(clocks, "Path", lambda _: (_ for _ in ()).throw(OSError))
    assert clocks._displaced() == 0.0
    clock = Clock(1)
    time.sleep(0.01)
    assert clock.read()[0] >= 0.009
