"""Networks that misbehave: each gets one clear line or the right verdict, never a wrong one; the process survives."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from covering import some
from handwritten import HandWritten
from problems import PROBLEMS

from bench.core.environment import importable
from bench.core.errors import UnusableError
from bench.locate.run import locate

SPEC = PROBLEMS["classes"]
ROOT = Path(__file__).resolve().parents[2]


def network(**methods):
    return type("Faulty", (HandWritten,), methods)


def answering(method, change):
    """Its answer to `method`, changed."""

    def answer(self, *arguments):
        return change(getattr(HandWritten, method)(self, *arguments))

    return network(**{method: answer})


def each(change):
    """To every array of a list or of pairs."""

    def changed(tree):
        return type(tree)(map(changed, tree)) if isinstance(tree, list | tuple) else change(tree)

    return changed


# Asked in Python: what the protocol does not allow is one line.


def recursion(self, X, Y):
    return recursion(self, X, Y)


def leaves(self, X, Y):
    raise SystemExit(0)


def noisy(method):
    return answering(
        method, lambda answer: each(lambda a: a + np.random.default_rng().normal(size=np.shape(a)))(answer)
    )


def changing(method):
    def answer(self, *arguments):
        found = getattr(HandWritten, method)(self, *arguments)
        self.weights[0] = self.weights[0] + 0.1
        return found

    return network(**{method: answer})


class Accumulates(HandWritten):
    """Gradients are added to those of the call before, as PyTorch does it."""

    so_far = None

    def gradients(self, X, Y):
        new = HandWritten.gradients(self, X, Y)
        pairs = zip(self.so_far or [(0, 0)] * len(new), new, strict=True)
        self.so_far = [(W + dW, b + db) for (W, b), (dW, db) in pairs]
        return self.so_far


class KeepsTheBatch(HandWritten):
    """What `forward` saw first is what it reports from then on."""

    def forward(self, X):
        self.first = getattr(self, "first", X)
        return HandWritten.forward(self, self.first)


class Integers(HandWritten):
    """Its arrays cut off what stands behind the point."""

    def set_parameters(self, parameters):
        super().set_parameters([(W.astype(int), b.astype(int)) for W, b in parameters])


def raising(number):
    """A step that cannot take so many examples."""
    return network(step=lambda s, X, Y: 1 / 0 if len(X) == number else HandWritten.step(s, X, Y))


class Seeded(HandWritten):
    """Every network draws the same numbers, so that two of them take the same steps."""

    def __init__(self, spec):
        super().__init__(spec)
        self.rng = np.random.default_rng(0)

    def step(self, X, Y):
        super().step(X * (self.rng.random(X.shape) < 0.8), Y)


class NoCopies(HandWritten):
    def __deepcopy__(self, memo):
        raise TypeError("cannot pickle a lock")


class OtherKeys(HandWritten):
    """One array fewer every second time."""

    count = 0

    def get_parameters(self):
        self.count += 1
        return super().get_parameters()[: 3 if self.count % 2 else 2]


LINES = {
    "recursion": (network(step=recursion), r"Faulty\.step\(\.\.\.\) raised RecursionError"),
    "sys.exit": (network(step=leaves), r"Faulty\.step\(\.\.\.\) raised SystemExit"),
    "no memory": (
        network(step=lambda s, X, Y: np.zeros(2**58)),
        r"Faulty\.step\(\.\.\.\) raised MemoryError",
    ),
    "stop iteration": (network(step=lambda s, X, Y: next(iter([]))), r"raised StopIteration"),
    "raises at a shorter batch": (raising(3), r"Faulty\.step\(\.\.\.\) raised ZeroDivisionError"),
    "raises at one example": (raising(1), r"Faulty\.step\(\.\.\.\) raised ZeroDivisionError"),
    "its own dropout": (Seeded, r"Seeded\.step\(X, Y\) takes another step when it is asked again"),
    "its own dropout, steps alone": (
        type("Seeded", (Seeded,), {"offers": ()}),
        r"Seeded\.step\(X, Y\) takes another step when it is asked again .*no random numbers",
    ),
    "random forward": (noisy("forward"), r"Faulty\.forward\(X\) gives another Z\[1\] when it is asked again"),
    "random cost": (noisy("cost"), r"Faulty\.cost\(X, Y\) gives another cost when it is asked again"),
    "random errors": (noisy("errors"), r"Faulty\.errors\(X, Y\) gives another delta\[1\] when it is asked again"),
    "random gradients": (noisy("gradients"), r"Faulty\.gradients\(X, Y\) gives another dW\[1\] when it is asked again"),
    "gradients add up": (Accumulates, r"gives another dW\[1\] when it is asked again .*a gradient is cleared first"),
    "keeps the batch": (KeepsTheBatch, r"KeepsTheBatch\.forward\(X\)\[0\]: Z\[1\] has shape .* expected: "),
    **{
        f"{method} changes parameters": (
            changing(method),
            rf"Faulty\.{method}\(\.\.\.\) changes the parameters; expected",
        )
        for method in ("forward", "cost", "errors", "gradients")
    },
    "complex": (
        answering("gradients", each(lambda a: a * (1 + 1j))),
        r"Faulty\.gradients\(X, Y\) has complex128; allowed: float64, float32",
    ),
    "half precision": (
        answering("gradients", each(lambda a: a.astype(np.float16))),
        r"Faulty\.gradients\(X, Y\) has float16; allowed: float64, float32",
    ),
    "labels": (
        answering("forward", lambda answer: answer[1][-1].round().astype(int)),
        r"A\[3\] of forward\(X\) has int64; allowed: float64, float32",
    ),
    "true or false": (
        answering("forward", lambda answer: answer[1][-1] > 0.5),
        r"A\[3\] of forward\(X\) has bool; allowed: float64, float32",
    ),
    "words in arrays": (
        answering("cost", lambda answer: np.array("much")),
        r"Faulty\.cost\(X, Y\) is .*much.*; expected: numbers",
    ),
    "None in a list": (
        answering("errors", lambda answer: [None, *answer[1:]]),
        r"delta\[1\] of errors\(X, Y\) is None; expected: numbers",
    ),
    "nothing": (
        network(gradients=lambda s, X, Y: None),
        r"Faulty\.gradients\(X, Y\) holds a NoneType; expected: arrays",
    ),
    "a generator": (
        network(forward=lambda s, X: (a for a in HandWritten.forward(s, X)[1])),
        r"Faulty\.forward\(X\) is a generator; expected: a list of A\[1\]",
    ),
    "ragged": (
        answering("errors", lambda answer: [[[1.0, 2.0], [3.0]], *answer[1:]]),
        r"delta\[1\] of errors\(X, Y\) is .*; expected: numbers",
    ),
    "integers": (Integers, r"W\[1\] read by get_parameters\(\) is not what set_parameters\(\) was given"),
    "fewer arrays": (OtherKeys, r"OtherKeys\.get_parameters\(\) has arrays of shapes"),
    "no such method": (network(step=None), r"Faulty has no method step"),
    "a number": (7, r"int has no method get_parameters"),
    "returns nothing": (lambda: None, r"has no method get_parameters"),
    "needs arguments": (
        type("Two", (HandWritten,), {"__init__": lambda s, spec, other: None}),
        r"Two\(\) raised TypeError: .*other",
    ),
    "cannot be copied": (NoCopies(SPEC), r"NoCopies\(\) raised TypeError: cannot pickle a lock"),
}


@pytest.mark.parametrize("day", LINES)
def test_what_the_protocol_does_not_allow_is_one_line(day):
    subject, line = LINES[day]
    with pytest.raises(UnusableError, match=line) as told:
        locate(subject, SPEC)
    assert "\n" not in str(told.value)


# Asked in Python: what does no harm changes no verdict.


class Buffers(HandWritten):
    """Answers are its own arrays, which it overwrites the next time."""

    def forward(self, X):
        answer = HandWritten.forward(self, X)
        if not hasattr(self, "answer") or len(self.answer[0][0]) != len(X):
            self.answer = answer
        for mine, new in zip((*self.answer[0], *self.answer[1]), (*answer[0], *answer[1]), strict=True):
            mine[...] = new
        return self.answer

    def get_parameters(self):
        return [(W, b) for W, b in zip(self.weights, self.biases, strict=True)]

    def set_parameters(self, parameters):
        for (W, b), mine, its in zip(parameters, self.weights, self.biases, strict=True):
            mine[...], its[...] = W, b

    def step(self, X, Y):
        before = self.weights, self.biases
        HandWritten.step(self, X, Y)
        for old, new in zip((*before[0], *before[1]), (*self.weights, *self.biases), strict=True):
            old[...] = new
        self.weights, self.biases = before


class KeepsWhatItGets(HandWritten):
    """Its parameters are the arrays that it was given, and it spoils them and the batch in the end."""

    def set_parameters(self, parameters):
        self.weights, self.biases = [W for W, _ in parameters], [b for _, b in parameters]

    def errors(self, X, Y):
        found = HandWritten.errors(self, X, Y)
        X[...], Y[...] = np.nan, np.nan
        return found


class Shuffles(HandWritten):
    """A mean does not depend on the order."""

    def step(self, X, Y):
        order = np.random.default_rng().permutation(len(X))
        super().step(X[order], Y[order])


class LoudNumPy(HandWritten):
    """Turns NumPy's warnings into errors, and prints arrays in another way, wherever it is asked."""

    def step(self, X, Y):
        np.seterr(all="raise")
        np.set_printoptions(precision=1)
        super().step(X, Y)


class Objects(HandWritten):
    def get_parameters(self):
        return [(W.astype(object), b.astype(object)) for W, b in super().get_parameters()]


HARMLESS = {
    "buffers": Buffers,
    "keeps what it gets": KeepsWhatItGets,
    "shuffles": Shuffles,
    "loud": LoudNumPy,
    "objects": Objects,
    "read-only": answering("gradients", each(lambda a: np.broadcast_to(a, a.shape))),
    "Fortran order": answering("gradients", each(np.asfortranarray)),
    "negative strides": answering("gradients", each(lambda a: a[::-1].copy()[::-1])),
    "lists": answering("gradients", each(lambda a: a.tolist())),
    "matrices": answering("errors", each(np.matrix)),
    "masked": answering("errors", each(np.ma.array)),
    "a cost of one element": answering("cost", lambda cost: np.array([[cost]])),
    "float32 beside float64": answering("cost", np.float64),
    "step returns words": network(step=lambda s, X, Y: (HandWritten.step(s, X, Y), "done")[1]),
    "step returns itself": network(step=lambda s, X, Y: (HandWritten.step(s, X, Y), s)[1]),
    "step returns its outputs": network(step=lambda s, X, Y: (HandWritten.step(s, X, Y), X)[1]),
}


@pytest.mark.parametrize("problem", ["classes", "momentum"])
@pytest.mark.parametrize("day", HARMLESS)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_what_does_no_harm_changes_no_verdict(day, problem):
    held = np.geterr(), np.get_printoptions()
    try:
        assert locate(HARMLESS[day], PROBLEMS[problem]).document.verdict == "right"
    finally:
        np.seterr(**held[0])
        np.set_printoptions(**held[1])


def test_a_step_that_depends_on_the_steps_before_is_blamed_on_the_update():
    class Slows(HandWritten):
        def rate(self):
            return super().rate() * (1 - 0.1 * np.sin(self.count - 1))

    (finding,) = locate(Slows, SPEC).document.mistakes
    assert (finding.equation, finding.moment, finding.causes) == ("(D2)", "a second batch", ())


def test_an_answer_in_float32_is_told_as_precision():
    document = locate(answering("gradients", each(lambda a: a.astype(np.float32))), SPEC).document
    assert [finding.kind for finding in document.findings] == ["precision"]


@pytest.mark.parametrize("where", ["forward", "errors", "gradients", "cost"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_blamed_where_it_arises(where, value):
    def spoil(answer):
        return each(lambda a: np.full_like(a, value))(answer)

    equations = {finding.equation for finding in locate(answering(where, spoil), SPEC).document.mistakes}
    wanted = {"forward": {"(18)", "(20)"}, "errors": {"BP1.2", "BP2.2"}, "gradients": {"BP3.2", "BP4.2"}}
    assert equations
    assert equations <= wanted.get(where, {"(22)", "(24)"})


# Asked by the command: what ends, stops or soils a process.

ADAPTER = """
import os, sys, threading, time, subprocess, signal
import numpy as np
from bench.locate import spec_of
{before}

class Network:
    spec = spec_of([3, (2, "sigmoid"), (1, "sigmoid")], "summed_binary_crossentropy", {{"learning_rate": 0.5}})

    def __init__(self):
        self.W = [np.zeros((3, 2)), np.zeros(2), np.zeros((2, 1)), np.zeros(1)]

    def get_parameters(self):
        return self.W

    def set_parameters(self, parameters):
        self.W = parameters

    def step(self, X, Y):
        {step}
        one, two = self.forward(X)
        delta = two - Y
        back = delta @ self.W[2].T * one * (1 - one)
        gradients = [X.T @ back, back.sum(axis=0), one.T @ delta, delta.sum(axis=0)]
        for W, g in zip(self.W, gradients):
            W -= 0.5 * g / len(X)

    def forward(self, X):
        one = 1 / (1 + np.exp(-X @ self.W[0] - self.W[1]))
        return [one, 1 / (1 + np.exp(-one @ self.W[2] - self.W[3]))]

{after}
"""
SWALLOWS = """while True:
            try:
                time.sleep(0.01)
            except:
                pass"""
RIGHT = "Network computes what the derivation computes"
# Where: before the class, in `step`, after the class. What it does; the exit code; what is said, on stdout for 0 and 1.
COMMANDED = {
    "as it should be": ("before", "", 0, RIGHT),
    "os._exit(0)": ("step", "os._exit(0)", 2, "Network.step(...): its process ended with exit code 0; expected"),
    "os._exit(1)": ("step", "os._exit(1)", 2, "Network.step(...): its process ended with exit code 1; expected"),
    "kill": ("step", "os.kill(os.getpid(), signal.SIGKILL)", 2, "Network.step(...): its process was killed by SIGKILL"),
    "segmentation fault": ("step", "import ctypes; ctypes.string_at(0)", 2, "its process was killed by SIGSEGV"),
    "sys.exit": ("step", "sys.exit(0)", 2, "Network.step(...) raised SystemExit"),
    "interrupt": ("step", "raise KeyboardInterrupt", 2, "Network.step(...)"),
    "exit at import": ("before", "sys.exit('no')", 2, "cannot be imported (SystemExit: no"),
    "os._exit at import": ("before", "os._exit(0)", 2, "the import of network.py: its process ended with exit code 0"),
    "raises at import": (
        "before",
        "1 / 0",
        2,
        "cannot be imported (ZeroDivisionError: division by zero (network.py:5)",
    ),
    "syntax error": ("before", "def :", 2, "cannot be imported (SyntaxError: invalid syntax (network.py, line 5)"),
    "asks at import": ("before", "input('your name? ')", 2, "cannot be imported (EOFError"),
    "asks": ("step", "input('your name? ')", 2, "Network.step(...) raised EOFError"),
    "debugger": ("step", "breakpoint()", 2, "Network.step(...) raised BdbQuit"),
    "slow": ("step", "time.sleep(60)", 2, "Network.step(...) took longer than 1 s; expected: less"),
    "loops": ("step", "while True: pass", 2, "Network.step(...) took longer than 1 s; expected: less"),
    "swallows": ("step", SWALLOWS, 2, "Network.step(...) took longer than 1 s and could not be interrupted"),
    "prints": ("step", "print('hello')", 0, "Note: Network prints; its lines are left out."),
    "prints to the terminal": ("step", "os.system('echo hello'); print('hello', file=sys.stderr)", 0, RIGHT),
    "prints at import": ("before", "print('hello')", 0, RIGHT),
    "prints at the end": ("before", "import atexit; atexit.register(print, 'hello')", 0, RIGHT),
    "closes stdout": ("step", "sys.stdout.close()", 0, RIGHT),
    "a thread that raises": ("step", "threading.Thread(target=lambda: 1 / 0).start()", 0, RIGHT),
    "a thread that stays": ("before", "threading.Thread(target=time.sleep, args=(999,)).start()", 0, RIGHT),
    "a process that stays": ("before", "subprocess.Popen(['sleep', '999'])", 0, RIGHT),
    "another folder": ("before", "os.chdir('/')", 0, RIGHT),
    "imports late": ("step", "import neighbour; assert neighbour.here", 0, RIGHT),
    "runs itself": ("after", "if __name__ == '__main__':\n    raise RuntimeError", 0, RIGHT),
}


def command(folder, *arguments):
    environment = importable({**os.environ, "PYTHONPATH": str(ROOT)})
    line = [sys.executable, "-m", "bench", "locate", *arguments]
    return subprocess.run(
        line, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100
    )


def written(folder, where="before", what="", name="network.py"):
    parts = {"before": "", "step": "pass", "after": "", where: what}
    (folder / name).write_text(ADAPTER.format(**parts))
    (folder / "neighbour.py").write_text("here = True\n")
    return folder


@pytest.mark.parametrize("day", some(COMMANDED, 6))
def test_the_command_outlives_the_network(day, tmp_path):
    where, what, code, words = COMMANDED[day]
    done = command(written(tmp_path, where, what), "network.py:Network", "--seconds", "1")
    told, silent = (done.stderr, done.stdout) if code == 2 else (done.stdout, done.stderr)
    assert (done.returncode, silent) == (code, ""), done
    assert words in told
    assert "Traceback" not in told
    assert "hello" not in told
    assert code != 2 or told.count("\n") == 1


TARGETS = {
    "no name": ("network.py", "'network.py' names no network; allowed: module:Name"),
    "no such name": ("network.py:Net", "network.py has no Net; allowed: Network"),
    "no file": ("nothing.py:Network", "nothing.py cannot be imported (FileNotFoundError"),
    "no module": ("nothing:Network", "nothing cannot be imported (ModuleNotFoundError"),
    "a folder": ("folder:Network", "folder is a folder; allowed: a module or a file, as in adapter.py:MyNetwork"),
    "a folder's path": ("./folder/:Network", "./folder/ is a folder; allowed: a module or a file"),
    "a folder named as a file": ("folder.py:Network", "folder.py is a folder; allowed: a module or a file"),
    "a path without .py": ("folder/network:Network", "folder/network cannot be imported"),
    "a module": ("network.py:np", "np says no spec; remedy: --spec NAME (sports, "),
    "not text": ("bytes.py:Network", "bytes.py cannot be imported (SyntaxError"),
    "a broken spec": ("network.py:Network --spec broken.toml", "broken.toml"),
    "an empty spec": ("network.py:Network --spec empty.toml", "empty.toml"),
    "a spec of other fields": ("network.py:Network --spec other.toml", "other.toml"),
    "a folder for a spec": ("network.py:Network --spec folder", "folder"),
    "a spec of bytes": ("network.py:Network --spec bytes.py", "bytes.py"),
    "no spec": ("network.py:Network --spec nothing.toml", "--spec 'nothing.toml' is not known; allowed: sports"),
    "a spec of another network": ("network.py:Network --spec adam", "the spec 'adam' has W[1] (6, 5)"),
    "many specs": (
        "network.py:Network --spec standard --format json",
        "--spec names 9 specs; allowed with --format json: one",
    ),
    "out is a folder": ("network.py:Network --out folder", "folder"),
}


@pytest.mark.parametrize("target", some(TARGETS, 5))
def test_what_is_asked_for_and_not_there_is_one_line(target, tmp_path):
    line, words = TARGETS[target]
    written(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00\x80")
    (tmp_path / "broken.toml").write_text("specs = [")
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "other.toml").write_text("[[specs]]\nname = 'a'\nlayers = 7\n")
    done = command(tmp_path, *line.split())
    assert (done.returncode, done.stdout) == (2, ""), done
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["random.py", "json.py", "numpy.py", "click.py", "bench.py"])
def test_a_file_is_itself_though_it_has_the_name_of_a_module(name, tmp_path):
    done = command(written(tmp_path, name=name), f"{name}:Network")
    assert (done.returncode, done.stderr) == (0, "")
    assert RIGHT in done.stdout
