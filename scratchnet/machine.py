"""Makes the calls of a table, one after another for many steps, without Python in between.

Fed by `scratchnet.program`; imported only where Numba is installed, which compiles it.
"""

import platform
from contextlib import suppress
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from scratchnet.calls import POINTERS

WORD = 8
"""Bytes of an address, and of a flag."""
ON_X86 = platform.machine() in ("x86_64", "AMD64")
_INTEGER, _NOTHING = ir.IntType(8 * WORD), ir.VoidType()


def _pointer(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _INTEGER.as_pointer())


@intrinsic
def _call(typing, row):  # type: ignore[no-untyped-def]
    """Call the function whose address stands at the address `row`, with the pointers that stand behind it."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        start, pointer = _pointer(builder, arguments[0]), ir.IntType(8).as_pointer()
        places = (builder.gep(start, [ir.Constant(_INTEGER, place)]) for place in range(1 + POINTERS))
        function, *pointers = (builder.load(place) for place in places)
        kind = ir.FunctionType(_NOTHING, [pointer] * POINTERS).as_pointer()
        builder.call(builder.inttoptr(function, kind), [builder.inttoptr(one, pointer) for one in pointers])
        return context.get_dummy_value()

    return types.void(types.int64), code


@intrinsic
def _seen(typing, address):  # type: ignore[no-untyped-def]
    """The number that another process has written there; what it wrote before is then seen as well."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        if ON_X86:  # says that this is a spin, so that a core's other thread gets the units
            kind = ir.FunctionType(_NOTHING, [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
        return builder.load_atomic(_pointer(builder, arguments[0]), "acquire", WORD)

    return types.int64(types.int64), code


@intrinsic
def _show(typing, address, number):  # type: ignore[no-untyped-def]
    """Write a number there that other processes look at, after all that was written before."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        builder.store_atomic(arguments[1], _pointer(builder, arguments[0]), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@numba.njit
def _all_came(flags, mine, patience):  # type: ignore[no-untyped-def]
    """Show that this process has come, and look for the others; False where patience ends first."""
    start, size, count = flags.ctypes.data, WORD * flags.shape[1], flags[mine, 0] + 1
    _show(start + mine * size, count)
    for other in range(len(flags)):
        looks = 0
        while _seen(start + other * size) < count:
            looks += 1
            if looks > patience:
                return False
    return True


@numba.njit
def run(table, at, factors, now, column, first, batch_size, flags, mine, patience):  # type: ignore[no-untyped-def]
    """Make the calls of `table` for each row of `factors`, from `at`, (step, call); False where others are late.

    now : the row of this step; column : where its examples begin, `first` in the first step; flags, mine, patience :
    see `scratchnet.shared.Barrier`. Where others are late they have to be waited for before this is called again.
    """
    start, size = table.ctypes.data, WORD * table.shape[1]
    while at[0] < len(factors):
        column[0] = first + at[0] * batch_size
        now[:] = factors[at[0]]
        while at[1] < len(table):
            call, at[1] = at[1], at[1] + 1
            if table[call, 0]:
                _call(start + call * size)
            elif not _all_came(flags, mine, patience):
                return False
        at[0], at[1] = at[0] + 1, 0
    return True


with suppress(RuntimeError):  # neither this package nor the user's cache can be written
    run.enable_caching()
