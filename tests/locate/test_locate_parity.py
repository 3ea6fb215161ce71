"""Right networks of the parity matrix are called right: by hand, and scratchnet's with compiled and NumPy steps."""

import pytest
from covering import weekly
from handwritten import HandWritten
from of_scratchnet import OfScratchnet

from bench.locate.run import locate_one
from bench.parity.cells import covering_cells, spec_of
from scratchnet import engine

CELLS = dict.fromkeys(
    cell._replace(last_batch="shorter", initializer="glorot_uniform", regularizer="l1_l2") for cell in covering_cells()
)


def small(spec):
    return spec.model_copy(update={"architecture": spec.architecture.model_copy(update={"inputs": 17})})


SOME, OTHERS = list(CELLS)[::8], [cell for number, cell in enumerate(CELLS) if number % 8]


@pytest.mark.parametrize("cell", [*SOME, *weekly(*[(cell,) for cell in OTHERS])], ids=lambda cell: "-".join(cell))
def test_a_network_of_the_parity_matrix_is_right(cell):
    document = locate_one(HandWritten, small(spec_of(cell)), "Right").document
    assert document.verdict == "right"
    assert document.findings == ()


@pytest.mark.parametrize("steps", engine.LIBRARIES)
@pytest.mark.parametrize("cell", [*SOME, *weekly(*[(cell,) for cell in OTHERS])], ids=lambda cell: "-".join(cell))
def test_scratchnets_own_network_is_right(cell, steps, monkeypatch):
    """It reports predictions, cost and gradients; a compiled step computes all of them again, with other roundings."""
    if steps not in engine.installed():
        pytest.skip(f"needs {steps}")
    monkeypatch.setenv(engine.VARIABLE, steps)
    document = locate_one(OfScratchnet, small(spec_of(cell)), "Right").document
    assert document.findings == ()


def test_a_mistake_in_such_a_network_is_found():
    class Wrong(HandWritten):
        def penalty_gradient(self, l):
            return 0.0

    cell = next(cell for cell in CELLS if not cell.extra)
    (finding,) = locate_one(Wrong, small(spec_of(cell)), "Wrong").document.mistakes
    assert finding.equation == "(D32)"
