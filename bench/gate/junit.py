"""A gate's verdicts as JUnit XML, for a CI server."""

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from bench.core.text import one_line
from bench.gate.outcome import Outcome


def junit(outcome: Outcome) -> JUnitXml:
    """A test case for each cell: failed, skipped if not decidable, an error if there is no verdict."""
    suite = TestSuite("speed gate")
    for cell in outcome.cells:
        case = TestCase(one_line(cell.name, 200), "bench.gate", cell.seconds)
        if cell.lines:
            case.system_out = "\n".join(one_line(line, 1000) for line in cell.lines)
        kinds: dict[str, type[FinalResult]] = {"fail": Failure, "undecided": Skipped}
        kind = Error if outcome.broken else kinds.get(cell.verdict)
        case.result = [kind(one_line(outcome.sentence_of(cell), 1000))] if kind else []
        suite.add_testcase(case)
    xml = JUnitXml()
    xml.add_testsuite(suite)
    return xml
