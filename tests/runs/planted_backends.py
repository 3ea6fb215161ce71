"""Backends with one thing wrong each, for the tests of what a run does about it. Imported by worker processes."""

import os
import signal
import time

import numpy as np

from bench.backends.scratchnet import Scratchnet


class _WrongInEpochTwo(Scratchnet):
    _epochs = 0

    def train_epoch(self, order, masks=()):
        self._epochs += 1
        if self._epochs == 2:
            self.go_wrong()
        super().train_epoch(order, masks)

    def go_wrong(self):
        raise NotImplementedError


class Raises(_WrongInEpochTwo):
    def go_wrong(self):
        raise ArithmeticError("planted\nfailure")


class Killed(_WrongInEpochTwo):
    def go_wrong(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Exits(_WrongInEpochTwo):
    def go_wrong(self):
        os._exit(3)


class Hangs(_WrongInEpochTwo):
    def go_wrong(self):
        time.sleep(1000)


class Diverges(_WrongInEpochTwo):
    def go_wrong(self):
        self._network.parameters.vector[:] = np.nan


class CannotStart(Scratchnet):
    def __init__(self, *arguments):
        raise MemoryError("planted")


class OneWeightOff(Scratchnet):
    """Starts from the plan's parameters but for the last bit of one weight."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        vector = self._network.parameters.vector
        vector[0] = np.nextafter(vector[0], np.inf)


class SwappedExamples(Scratchnet):
    """Exchanges two examples of the second epoch."""

    _epochs = 0

    def train_epoch(self, order, masks=()):
        self._epochs += 1
        super().train_epoch(self._swapped(order), masks)

    def batches(self, order, masks=()):
        return super().batches(self._swapped(order), masks)

    def _swapped(self, order):
        order = order.copy()
        if self._epochs == 2:
            order[[0, -1]] = order[[-1, 0]]
        return order
