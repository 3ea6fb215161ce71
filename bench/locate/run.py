"""`locate`: calls a subject, compares and diagnoses it. The report can show itself."""

import sys
from dataclasses import dataclass
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from bench.core.errors import EXIT_OK, EXIT_WORSE, UnusableError
from bench.core.text import one_line
from bench.locate import render
from bench.locate.diagnosis import diagnose
from bench.locate.document import Document
from bench.locate.layout import remedy
from bench.locate.net import net_of
from bench.locate.problems import specs_named
from bench.locate.subject import SECONDS, SubjectError, time_limit, told
from bench.locate.survey import surveys
from bench.spec import TrainingSpec


@dataclass(frozen=True)
class Report:
    """What was found for one spec. A notebook shows it as a page; `print` shows the text."""

    document: Document

    @property
    def ok(self) -> bool:
        """Whether no mistake was found."""
        return not self.document.mistakes

    @property
    def exit_code(self) -> int:
        """0: no mistake; 1: a mistake."""
        return EXIT_OK if self.ok else EXIT_WORSE

    def text(self) -> str:
        """For a terminal."""
        return render.text(self.document)

    def markdown(self) -> str:
        """For GitHub."""
        return render.markdown(self.document)

    def json(self) -> str:
        """For a program."""
        return render.as_json(self.document)

    def html(self) -> str:
        """A page that holds all it shows."""
        return render.html(self.document)

    def hint(self) -> str:
        """A question that does not give the solution away."""
        return render.hint(self.document)

    def __str__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return render.fragment(self.document)


def locate(subject: Any, spec: Any = None, *, name: str | None = None, seconds: float = SECONDS) -> Report:
    """Say which equation of a network is wrong, and why.

    Parameters
    ----------
    subject : a class or a function that makes a network, called with the spec if it takes an argument; or an object,
        of which copies are made. See `bench.locate.subject.Subject` for its methods.
    spec : a `TrainingSpec`, `spec_of(...)`, its fields in a dict, a shipped name or a file of one spec. Left out: the
        attribute `spec` of the subject.
    seconds : longest time that one call of the subject may take.

    Raises UnusableError: one line: the spec cannot be read, or the subject does not keep to the protocol.
    """
    called = name or _name_of(subject)
    specs = specs_named(spec, subject, called)
    if len(specs) > 1:
        names = ", ".join(one.name for one in specs)
        raise UnusableError(f"{len(specs)} specs are given ({names}); allowed: one")
    return locate_one(subject, specs[0], called, seconds)


def locate_one(subject: Any, spec: TrainingSpec, name: str, seconds: float = SECONDS) -> Report:
    """The report for one spec: of several layouts, that of the one in which every finding has a cause.

    Raises SubjectError: no layout, or more than one, explains what the subject reports.
    """
    seen = surveys(subject, name, net_of(spec), seconds)
    documents = [diagnose(one) for one in seen]
    explained = [one for one in documents if all(finding.causes for finding in one.findings)]
    if len(seen) == 1 or len(explained) == 1:
        return Report((explained or documents)[0])
    words = "; or ".join(one.layout.words for one in seen)
    raise SubjectError(f"{name} fits more than one layout ({words}); remedy: {remedy([one.layout for one in seen])}")


def _name_of(subject: Any) -> str:
    return one_line(getattr(subject, "__name__", type(subject).__name__), 80)


def imported(target: str, seconds: float = SECONDS) -> tuple[Any, str]:
    """The object that `module:Name` or `file.py:Name` names, the current folder first; and its name.

    Raises UnusableError: where it cannot be imported: the module's own error, on one line.
    """
    module, colon, name = target.rpartition(":")
    if not colon or not module or not name:
        raise UnusableError(f"{one_line(target, 80)!r} names no network; allowed: module:Name, as in adapter:MyNetwork")
    if Path(module).is_dir() and not (Path(module) / "__init__.py").is_file():
        raise UnusableError(f"{module} is a folder; allowed: a module or a file, as in adapter.py:MyNetwork")
    found = _module(module, seconds)
    for part in name.split("."):
        if not hasattr(found, part):
            raise SubjectError(f"{module} has no {name}; allowed: {_classes(found)}")
        found = getattr(found, part)
    return found, name


def _module(module: str, seconds: float) -> Any:
    """Its folder is searched first while it is imported, and last when the network is called."""
    is_file = module.endswith(".py")
    folder = Path(module).parent.resolve() if is_file else Path.cwd()
    sys.path.insert(0, str(folder))
    try:
        with time_limit(seconds, f"the import of {module}"):
            return _of_file(Path(module)) if is_file else import_module(module)
    except (Exception, SystemExit) as error:
        if isinstance(error, SubjectError):
            raise
        raise UnusableError(
            f"{module} cannot be imported ({told(error)}); it is looked for in {folder} first"
        ) from error
    finally:
        sys.path.remove(str(folder))
        sys.path.append(str(folder))


def _of_file(path: Path) -> Any:
    """The file itself, though a module of its name may be there, such as random."""
    name = path.stem if path.stem not in sys.modules else f"{path.stem} in {path.parent}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _classes(module: Any) -> str:
    names = [name for name, value in vars(module).items() if isinstance(value, type) and not name.startswith("_")]
    return ", ".join(names) or "it defines no class"
