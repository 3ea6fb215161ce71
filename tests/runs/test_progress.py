"""What a person sees while a command measures, and in which order workers take turns."""

import random
import threading
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from bench.core.progress import Progress, ProgressBar, progress_on
from bench.workers import turns
from bench.workers.turns import in_turn


def console(is_terminal):
    return Console(file=StringIO(), force_terminal=is_terminal, width=100, color_system=None)


def shown(of):
    return of.file.getvalue()


def test_a_pipe_gets_a_line_for_each_stage_and_each_note():
    lines = console(is_terminal=False)
    with progress_on(lines, 1200, "cells") as progress:
        progress.stage("first [b]")
        progress.step("something small")
        progress.done(1000)
        progress.note("lost: [red] it raised")
        progress.stage("second")
    assert shown(lines).splitlines() == [
        "first [b] (0 of 1,200 cells done)",
        "lost: [red] it raised",
        "second (1,000 of 1,200 cells done)",
    ]


def test_where_nobody_knows_how_many_a_line_counts_nothing():
    lines = console(is_terminal=False)
    with progress_on(lines) as progress:
        progress.stage("round 1")
    assert shown(lines) == "round 1\n"


def test_what_was_done_before_is_counted():
    lines = console(is_terminal=False)
    with progress_on(lines, unit="parts") as progress:
        progress.expect(5, done=2)
        progress.done()
        progress.stage("width 64")
    assert shown(lines) == "width 64 (3 of 5 parts done)\n"


def test_a_terminal_gets_a_bar_that_no_thread_redraws():
    screen, before = console(is_terminal=True), threading.active_count()
    with progress_on(screen, 4) as progress:
        assert isinstance(progress, ProgressBar)
        assert threading.active_count() == before
        progress.stage("784-[b]-10")
        progress.step("epoch 1 scratchnet")
        progress.done(3)
        progress.note("tf-xla [failed]")
    assert "3/4" in shown(screen)
    assert "784-[b]-10: epoch 1 scratchnet" in shown(screen)
    assert "tf-xla [failed]" in shown(screen)


def test_a_console_that_is_no_terminal_gets_no_bar():
    assert type(progress_on(console(is_terminal=False))) is Progress


@pytest.fixture
def events(monkeypatch):
    """What happened: who is next, then the rest."""
    found = []
    monkeypatch.setattr(turns, "time", SimpleNamespace(sleep=lambda seconds: found.append(seconds)))
    return found


def test_each_turn_is_told_of_before_everybody_rests(events):
    members = [SimpleNamespace(name=name, lost=None) for name in "abc"]
    order = [one.name for one in in_turn(members, random.Random(0), 0.2, lambda one: events.append(one.name))]
    assert sorted(order) == ["a", "b", "c"]
    assert events == [part for name in order for part in (name, 0.2)]


def test_the_order_changes_from_round_to_round_and_the_lost_take_no_turn(events):
    members = [SimpleNamespace(name=name, lost=None) for name in "abcd"]
    members[3].lost = ("failed", "it raised")
    order = random.Random(0)
    rounds = [tuple(one.name for one in in_turn(members, order, 0.0)) for _ in range(20)]
    assert {name for one in rounds for name in one} == {"a", "b", "c"}
    assert len(set(rounds)) > 3
