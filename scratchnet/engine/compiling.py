"""Compiles the step once for a processor, and keeps the machine code on disk: later processes need no compiler.

A compiled function is called by its address, without Python's global lock. So a process that finds it on disk imports
neither Numba nor the modules that are written for it.
"""

import ctypes
import hashlib
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
from llvmlite import binding
from numpy.typing import NDArray

from scratchnet.engine.caching import read, write
from scratchnet.engine.machine import VECTOR_BYTES
from scratchnet.engine.records import LAYER, job_of

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}
"""Python's own model would look for a division by zero at each number, and no loop would take several at a time."""
RETURNED = 0
"""What a function of Numba's gives where it ends without an exception."""

_loading = threading.Lock()

Function = Callable[[NDArray[Any], NDArray[Any], int, int], bool]


def compiled(make: Callable[[], Callable[..., bool]]) -> Function:
    """The function that `make()` gives, compiled when it is first called with a network of a dtype.

    It takes the records of a thread and of its layers, and two numbers; see `scratchnet.engine.step.work`.
    """

    def call(job: NDArray[Any], layers: NDArray[Any], first: int, last: int) -> bool:
        with _loading:
            function = _loaded(make, job.dtype.fields["one"][0].name)  # type: ignore[index]
        result, exception = ctypes.c_uint8(), ctypes.c_void_p()
        addresses = job.ctypes.data, layers.ctypes.data, len(layers)
        if function(ctypes.byref(result), ctypes.byref(exception), *addresses, first, last) != RETURNED:
            raise RuntimeError("the compiled step has failed")
        return bool(result.value)

    return call


@cache
def _loaded(make: Callable[[], Callable[..., bool]], dtype: str) -> Callable[..., int]:
    """The compiled function, from disk where it is there."""
    name = f"{make.__name__}-{dtype}-{_digest()}"
    code = read(name)
    if code is None:
        if sys.stderr.isatty():
            print(f"scratchnet: compiling the {dtype} step for this processor, once", file=sys.stderr)
        code = _code(make(), dtype)
        write(name, code)
    return _at(*code)


def _digest() -> str:
    """Of all that goes into the machine code."""
    folder = Path(__file__).parent
    constants = [folder.parent / f"{module}.py" for module in ("activations", "losses")]
    processor = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten(), VECTOR_BYTES
    digest = hashlib.sha256(repr((llvmlite.__version__, sys.version, processor)).encode())
    for path in (*sorted(folder.glob("*.py")), *constants):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _code(function: Callable[..., bool], dtype: str) -> tuple[str, bytes]:
    """Name and object code of (address of the job, address and number of layers, first, last) → bool."""
    import numpy as np
    from numba import types
    from numba.core.compiler import Flags, compile_extra
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    from scratchnet.engine.intrinsics import question, records

    body, job_kind, layer_kind = question(function), job_of(np.dtype(dtype)), LAYER

    def entry(job, layers, count, first, last):  # type: ignore[no-untyped-def]
        return body(records(job, 1, job_kind), records(layers, count, layer_kind), first, last)

    flags = Flags()
    cpu_target.options.parse_as_flags(flags, {**OPTIONS, "nopython": True})
    flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
    flags.nrt = False  # nothing is counted: all memory is made by Python before
    typing, target = cpu_target.typing_context, cpu_target.target_context
    with global_compiler_lock:
        made = compile_extra(typing, target, entry, (types.int64,) * 5, types.boolean, flags, {})
        made.library.finalize()
    module = binding.parse_assembly(made.library.get_llvm_str())
    _refuse_unknown(function.name for function in module.functions if function.is_declaration)
    return made.fndesc.llvm_func_name, _machine().emit_object(module)


def _refuse_unknown(called: Iterable[str]) -> None:
    """A process without Numba has only the C library; LLVM would end it at a name that it does not find.

    Raises RuntimeError: names the functions.
    """
    library = ctypes.CDLL(None)
    unknown = [name for name in called if not name.startswith("llvm.") and not hasattr(library, name)]
    if unknown:
        raise RuntimeError(f"the compiled step calls {', '.join(unknown)}, which a process without Numba lacks")


@cache
def _machine() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=features, opt=3, reloc="default", codemodel="jitdefault"
    )


_alive: list[Any] = []


def _at(name: str, code: bytes) -> Callable[..., int]:
    """The function of that name in the object code."""
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    _alive.append(engine)
    kind = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * 2, *[ctypes.c_int64] * 5)
    return kind(engine.get_function_address(name))
