"""The report in each of its forms, the command, the template, the Python interface."""

import json
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from handwritten import HandWritten
from problems import PROBLEMS

import bench
from bench import locate
from bench.cli import main
from bench.core.address import REPOSITORY, page
from bench.locate import render, spec_of
from bench.locate.explain import explained, numbers
from bench.locate.net import net_of
from bench.locate.problems import shipped
from bench.locate.rules import equation_of

ROOT = Path(__file__).parents[2]


class MeanMissing(HandWritten):
    """Its gradients are sums."""

    spec = PROBLEMS["classes"]

    def weight_gradient(self, l, delta, below):
        return below.T.dot(delta)

    def bias_gradient(self, l, delta):
        return delta.sum(axis=0)


class Right(HandWritten):
    """Makes no mistake."""

    spec = PROBLEMS["classes"]


@pytest.fixture(scope="module")
def report():
    return locate(MeanMissing)


@pytest.fixture(scope="module")
def certificate():
    return locate(Right)


def test_the_text_says_what_where_both_numbers_and_why(report):
    text = report.text()
    assert text.startswith(
        "MeanMissing: dW[3] is wrong: BP3.2 and BP4.2, gradient of the weights in layers 1, 2 and 3."
    )
    assert re.search(
        r"First seen in dW\[3\], neuron \d, input \d, a full batch: yours \S+, expected \S+ \(4 times\)", text
    )
    assert "Cause: the mean over the batch is left out: a sum." in text
    assert re.search(r"they equal yours to \de-1[5-7]", text)
    assert "docs/derivation/backward-batch.md#bp32-the-weights" in text
    assert "Right, do not change it: Z[1], A[1]," in text
    assert str(report) == text


def test_the_certificate_says_what_was_compared(certificate):
    text = certificate.text()
    assert text.startswith("Right computes what the derivation computes: every tensor agrees in 6 steps.")
    assert "Compared: 22 tensors in 6 steps (step, forward, cost, errors and gradients)." in text
    assert re.search(r"update of W\[3\] +\(D2\) +5 +\d\.\de-\d\d +\d\.\de-\d\d", text)
    assert "Your gradient is the derivative of the cost that you report" in text
    assert f"numpy {__import__('numpy').__version__}" in text


def test_the_hint_does_not_give_it_away(report, certificate):
    hint = report.hint()
    assert hint.startswith("Look at BP3.2 and BP4.2, gradient of the weights in layers 1, 2 and 3.")
    assert "mean" not in hint
    assert "sum" not in hint
    assert certificate.hint() == "There is nothing to hint at: every tensor agrees.\n"


def test_json_is_whole_and_has_no_number_that_json_has_not(report):
    def refuse(name):
        raise AssertionError(name)

    data = json.loads(report.json(), parse_constant=refuse)
    assert data["verdict"] == "mistake"
    (finding,) = data["findings"]
    assert finding["equation"] == "BP3.2 and BP4.2"
    assert finding["ratio"] == pytest.approx(4)
    assert finding["causes"][0]["id"] == "gradient-mean-missing"
    assert finding["causes"][0]["layers"] == [1, 2, 3]
    assert {tensor["name"] for tensor in data["tensors"] if not tensor["right"]} == {
        f"{name}[{l}]" for name in ("dW", "db") for l in (1, 2, 3)
    }
    assert [one["agrees"] for one in data["differences"]] == [False] * 6


def test_markdown_has_the_formula_and_a_folded_hint(report):
    text = report.markdown()
    assert "```math\n\\frac{\\partial C}{\\partial W^l} = \\frac{1}{M} \\Delta^l (A^{l-1})^T\n```" in text
    assert "<details><summary>A hint</summary>" in text
    link = "docs/derivation/backward-batch.md#bp32-the-weights"
    assert f"Derived in [{link}]({page(link)})" in text
    assert "| tensor" in text


class Sources(HTMLParser):
    """What a page would load."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href")]


@pytest.mark.parametrize("form", ["html", "_repr_html_"])
def test_the_page_asks_the_network_for_nothing(form, report):
    shown = getattr(report, form)()
    pictures, links = (
        [source for source in Sources(shown).found if source.startswith("data:") is wanted] for wanted in (True, False)
    )
    assert pictures
    assert links == [page("docs/derivation/backward-batch.md#bp32-the-weights")]
    assert "data:image/svg+xml;base64," in shown
    assert "the mean over the batch is left out" in shown


def test_a_name_cannot_break_out_of_the_page():
    name = "<script>alert(1)</script>"
    page = locate(MeanMissing, name=name).html()
    assert name not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("number", numbers())
def test_every_equation_has_a_heading_that_it_links_to_and_a_picture(number):
    about = explained(number)
    page, _, anchor = about.link.partition("#")
    headings = re.findall(r"^#+ +(.*)$", (ROOT / page).read_text("utf-8"), re.MULTILINE)
    assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert f"\\tag{{{number.strip('()')}}}" in (ROOT / page).read_text("utf-8")


def test_every_update_has_an_equation_that_is_explained():
    assert {equation_of(net_of(spec)) for spec in PROBLEMS.values()} <= set(numbers())


def invoke(*arguments, folder):
    return subprocess.run(
        [sys.executable, "-m", "bench", "locate", *arguments],
        cwd=folder,
        env={**__import__("os").environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def adapter(tmp_path):
    printed = invoke("--template", folder=tmp_path)
    assert printed.returncode == 0
    (tmp_path / "adapter.py").write_text(printed.stdout, "utf-8")
    return tmp_path / "adapter.py"


def test_the_template_works_as_it_stands(adapter):
    told = invoke("adapter:MyNetwork", folder=adapter.parent)
    assert told.returncode == 0
    assert told.stderr == ""
    assert told.stdout.startswith("MyNetwork computes what the derivation computes: every tensor agrees in 6 steps.")


def test_a_mistake_in_the_template_ends_with_1(adapter):
    adapter.write_text(adapter.read_text("utf-8").replace("a: 1 - a**2", "a: 1 - a"), "utf-8")
    told = invoke("adapter.py:MyNetwork", "--format", "json", folder=adapter.parent)
    assert told.returncode == 1
    (finding,) = json.loads(told.stdout)["findings"]
    assert (finding["equation"], finding["causes"][0]["id"]) == ("BP2.2", "one-minus-a@1")
    assert invoke("adapter:MyNetwork", "--hint", folder=adapter.parent).stdout.startswith("Look at BP2.2")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "error: Missing argument 'MODULE:NETWORK'; allowed: module:Name, as in adapter:MyNetwork"),
        (("nothing:Here",), "error: nothing cannot be imported (ModuleNotFoundError: No module named 'nothing');"),
        (("adapter:YourNetwork", "--spec", "sports"), "error: YourNetwork has no method get_parameters; needed:"),
        (("adapter:MyNetwork", "--spec", "sports"), "error: MyNetwork.get_parameters() has arrays of shapes"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_2(adapter, arguments, line):
    told = invoke(*arguments, folder=adapter.parent)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(line)
    assert told.stderr.count("\n") == 1


def test_the_template_is_written_to_a_file(adapter):
    told = invoke("--template", "--out", "written.py", folder=adapter.parent)
    assert (told.returncode, told.stdout) == (0, "written: written.py\n")
    assert (adapter.parent / "written.py").read_text("utf-8") == adapter.read_text("utf-8")


@pytest.mark.parametrize("form", render.FORMATS)
def test_a_report_links_to_the_published_derivation(form):
    class Wrong(HandWritten):
        def cost(self, X, Y):
            return 2 * super().cost(X, Y)

    report = render.FORMATS[form](locate(Wrong, PROBLEMS["classes"]).document)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    folder = "docs/derivation/" if form == "json" else f"{REPOSITORY}/blob/v{version}/docs/derivation/"
    assert folder in report


def test_a_file_is_written(adapter):
    told = invoke("adapter:MyNetwork", "--format", "html", "--out", "report.html", folder=adapter.parent)
    assert told.stdout == "written: report.html\n"
    assert (adapter.parent / "report.html").read_text("utf-8").startswith("<!doctype html>")


def test_the_interface_is_a_function_although_a_folder_has_that_name():
    assert locate is bench.locate
    assert spec_of([2, (1, "sigmoid")], "binary_crossentropy").architecture.widths == (2, 1)
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from bench.locate import nothing  # noqa: F401


def test_the_page_of_the_docs_has_the_exit_codes_and_every_shipped_problem():
    page = (ROOT / "docs/locate.md").read_text("utf-8")
    assert "locate" in main.commands
    assert all(f"`{spec.name}`" in page for spec in shipped().specs)
    assert "| 0 |" in page
    assert set(render.FORMATS) <= set(re.findall(r"`(\w+)`", page))
