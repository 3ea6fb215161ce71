"""A file of records: append-only JSON lines. A record, once written, is never changed.

One process writes at a time; a last line cut short by a kill is no record.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_args

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bench.core.errors import UnusableError, refused
from bench.core.models import LONGEST_VALUE, FiniteRecord, first_problem
from bench.core.text import one_line

RECORDS_NAME = "records.jsonl"

Whole = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""What a column of a table can hold."""


class LogRecord(FiniteRecord):
    """One line of a file of records.

    ABOUT names the fields that say what a line is about. A second line about the same would count twice, so it is
    refused. Lines of a kind without such fields may repeat.
    """

    ABOUT: ClassVar[tuple[str, ...]] = ()
    kind: str


Kind = TypeVar("Kind", bound=LogRecord)


def records_of(folder: Path, adapter: TypeAdapter[Kind], first: type[LogRecord]) -> list[Kind]:
    """The records of a folder, of which the first must be of that kind. A last line cut short by a kill is left out.

    Raises UnusableError: with file and line, where a record cannot be read or repeats another.
    """
    return list(each_record_of(folder, adapter, first))


def each_record_of(
    folder: Path, adapter: TypeAdapter[Kind], first: type[LogRecord], unchecked: type | tuple[()] = ()
) -> Iterator[Kind]:
    """As `records_of`, one after another, so that the file is never in memory as a whole.

    unchecked : the kind of record whose lines may repeat, for whoever looks at these himself.
    """
    path = folder / RECORDS_NAME
    versions = get_args(first.model_fields["schema_version"].annotation)
    distinct, number = DistinctLines(path), 0
    for number, line in enumerate(_whole_lines(path), 1):
        try:
            record = adapter.validate_json(line)
        except ValidationError as error:
            raise _unreadable(line, error, f"{path}:{number}", versions) from None
        if number == 1:
            _check_first(record, path, first)
        if not isinstance(record, unchecked):
            distinct.check(number, record.kind, {name: _value(record, name) for name in record.ABOUT})
        yield record
    if number == 0:
        _check_first(None, path, first)


def has_records(folder: Path) -> bool:
    """Whether a folder holds a whole line at least: a run may be killed before its first record."""
    path = folder / RECORDS_NAME
    return path.is_file() and b"\n" in path.read_bytes()


class DistinctLines:
    """The lines of a file so far, by what they are about: a second line about the same is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: dict[tuple[Any, ...], dict[Any, int]] = {}

    def check(self, number: int, kind: str, about: Mapping[str, Any]) -> None:
        """Line `number` is of that kind and about that, name → value; about nothing, it may repeat.

        Raises UnusableError: names both lines.
        """
        if not about:
            return
        *group, last = about.values()  # few groups hold many lines: a million epochs need no tuple each
        first = self._lines.setdefault((kind, *group), {}).setdefault(last, number)
        if first != number:
            told = ", ".join(f"{name} {_told(value)}" for name, value in about.items())
            place = f"{self._path}:{number}: repeats the {kind} record of line {first}"
            raise UnusableError(f"{place} ({one_line(told, LONGEST_VALUE)}); remove one of the two lines")


def _value(record: LogRecord, name: str) -> Any:
    """Of a field, or of a field's field: `pair.number`."""
    return attrgetter(name)(record)


def _told(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line[:-1] for line in file if line.endswith(b"\n"))
    except OSError as error:
        raise UnusableError(f"{path}: no records of a run ({error.strerror or error})") from None


def _check_first(record: object, path: Path, first: type[BaseModel]) -> None:
    if not isinstance(record, first):
        kind = first.model_fields["kind"].default
        raise UnusableError(f"{path}:1: does not start with the record of a {kind}")


def _unreadable(line: bytes, error: ValidationError, place: str, versions: tuple[int, ...]) -> UnusableError:
    version = value_in(line, "schema_version")
    if version not in (None, *versions):
        return UnusableError(f"{place}: schema version {version}; this version reads {', '.join(map(str, versions))}")
    return UnusableError(f"{place}: {first_problem(error, 'record', skip=1)}")


def value_in(line: bytes, name: str) -> Any:
    """What a line that may be broken has under that name; None where it has nothing."""
    try:
        return json.loads(line).get(name)
    except (ValueError, AttributeError, RecursionError):
        return None


class RecordLog:
    """The one writer of a run folder's records; each record is on disk before the next thing happens."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RECORDS_NAME
        self._lock = FileLock(folder / ".lock", timeout=0)

    def __enter__(self) -> "RecordLog":
        try:
            self._lock.acquire()
            self._file = self.path.open("ab", buffering=0)
            self._file.truncate(self.path.read_bytes().rfind(b"\n") + 1)  # a line cut short by a kill is no record
        except Timeout:
            folder = self.path.parent
            raise UnusableError(f"{folder}: another run is writing here; wait for it or choose --out") from None
        except OSError as error:
            self._lock.release()
            raise UnusableError(f"{self.path}: cannot be written ({error.strerror or error})") from None
        return self

    def __exit__(self, *_: object) -> None:
        nothing_happened = os.fstat(self._file.fileno()).st_size == 0 and self._in_place()
        self._file.close()
        self._lock.release()
        if nothing_happened:  # the data could not be used, say: then there is no run, and no folder of one
            with suppress(OSError):
                self.path.unlink()
                Path(self._lock.lock_file).unlink(missing_ok=True)
                self.path.parent.rmdir()

    def write(self, *records: BaseModel) -> None:
        """Append records, all or none.

        Raises UnusableError: when the disk is full or the folder is gone; what was written before stays whole.
        """
        if not self._in_place():
            lost = "was removed or replaced during the run; its records are lost"
            raise UnusableError(f"{self.path}: {lost}; start again, and leave the folder alone until the run ends")
        rest = memoryview(b"".join(record.model_dump_json().encode() + b"\n" for record in records))
        end = os.fstat(self._file.fileno()).st_size
        with refused(self.path, "written", "; what was finished is kept"):
            try:
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
            except OSError:
                self._file.truncate(end)
                raise

    def _in_place(self) -> bool:
        """Whether the path still leads to the file that is written."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self._file.fileno()))
        except OSError:
            return False
