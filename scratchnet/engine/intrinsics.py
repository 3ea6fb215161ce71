"""What Python cannot tell the compiler: numbers at an address, constants of a type, bits of numbers, thread flags.

Addresses and strides are in bytes. `one` is a number of the network's dtype; it tells a function which dtype to use.
"""

import inspect
import platform
from collections.abc import Callable
from functools import partial
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.compiler import compile_internal
from numba.core.targetconfig import ConfigStack
from numba.extending import intrinsic

INTEGER, NOTHING = ir.IntType(64), ir.VoidType()
WORD = 8
ON_X86 = platform.machine() in ("x86_64", "AMD64")


def external(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """A function of LLVM or of the C library."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(result, arguments), name)


def suffix(kind: Any) -> str:
    """How LLVM writes a type in the name of a function: f32, v16f32."""
    if isinstance(kind, ir.VectorType):
        return f"v{kind.count}{suffix(kind.element)}"
    return "f32" if isinstance(kind, ir.FloatType) else "f64"


def fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a · b + c, in one instruction where the processor has it."""
    return builder.call(external(builder, f"llvm.fmuladd.{suffix(a.type)}", a.type, [a.type] * 3), [a, b, c])


def real_of(one: Any) -> tuple[Any, int]:
    """LLVM's type of a real number, and its bytes."""
    return (ir.FloatType(), 4) if one == types.float32 else (ir.DoubleType(), 8)


def call(
    context: Any, builder: Any, function: Callable[..., Any], signature: Any, values: Any, inline: bool = False
) -> Any:
    """Call a Python function from the code that is being written, into whose library it is compiled once.

    Numba's own ways make a library of each function, and LLVM then works on each again for all that call it: with a
    hundred of them, six deep, four times as long.
    """
    library = context.active_code_library
    made = vars(library).setdefault("parts_of_step", {})
    key = function, signature.args
    if key not in made:
        flags = ConfigStack().top_or_none().copy()
        flags.no_compile = flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        flags.forceinline = inline
        made[key] = compile_internal(
            context.typing_context, context, library, function, signature.args, signature.return_type, flags, locals={}
        ).fndesc
    return context.call_internal(builder, made[key], signature, values)


def part_of_step(result: Callable[..., Any], inline: bool = False) -> Callable[..., Any]:
    """A function that compiled code may call, of the type that `result` gives for its arguments.

    inline : LLVM applies it to several numbers at a time only where it has no call to make.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def typed(typing: Any, *arguments: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                return call(context, builder, function, signature, values, inline)

            given = [types.unliteral(argument) for argument in arguments]
            return result(*given)(*given), code

        parameters = inspect.signature(function).parameters.values()
        context = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        typed.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]
        typed.__name__ = function.__name__
        made: Any = intrinsic(typed)
        made.body = function
        return made  # type: ignore[no-any-return]

    return decorate


procedure = part_of_step(lambda *arguments: types.void)
question = part_of_step(lambda *arguments: types.boolean)
number = part_of_step(lambda *arguments: arguments[0], inline=True)


def _array_at(context: Any, builder: Any, kind: Any, address: Any, count: Any) -> Any:
    """An array of Numba's whose numbers stand there."""
    item = context.get_data_type(kind.dtype)
    array, bytes_ = (
        context.make_array(kind)(context, builder),
        context.get_constant(types.intp, context.get_abi_sizeof(item)),
    )
    data, shape = builder.inttoptr(address, item.as_pointer()), cgutils.pack_array(builder, [count])
    strides = cgutils.pack_array(builder, [bytes_])
    context.populate_array(array, data=data, shape=shape, strides=strides, itemsize=bytes_, meminfo=None)
    return array._getvalue()


@intrinsic
def vector(typing, address, count, one):  # type: ignore[no-untyped-def]
    """The numbers of the type of `one` at an address, as an array."""
    kind = types.Array(one, 1, "C")

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _array_at(context, builder, kind, *values[:2])

    return kind(address, count, one), code


@intrinsic
def records(typing, address, count, kind):  # type: ignore[no-untyped-def]
    """The records of that dtype at an address, as an array."""
    array_kind = types.Array(kind.dtype, 1, "C")

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _array_at(context, builder, array_kind, *values[:2])

    return array_kind(address, count, kind), code


@intrinsic
def size_of(typing, one):  # type: ignore[no-untyped-def]
    """Bytes of a number of that type."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return ir.Constant(INTEGER, real_of(one)[1])

    return types.int64(one), code


@intrinsic
def like(typing, number, one):  # type: ignore[no-untyped-def]
    """The number in the type of `one`: as Python writes it, it would make all it meets float64."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return context.cast(builder, values[0], number, one)

    return one(number, one), code


def of_number(write: Callable[[Any, Any], Any]) -> Any:
    """What `write(builder, x)` makes of a number x, in the type of x."""

    @intrinsic
    def value(typing, x):  # type: ignore[no-untyped-def]
        return x(x), lambda context, builder, signature, values: write(builder, values[0])

    return value


def _constants(x: Any, numbers: Callable[[int], list[float]]) -> list[Any]:
    """Those numbers for a type of so many bytes, in the type of x."""
    return [ir.Constant(x.type, number) for number in numbers(4 if isinstance(x.type, ir.FloatType) else 8)]


def polynomial(coefficients: Callable[[int], list[float]]) -> Any:
    """Σ c_k xᵏ; `coefficients` gives them, lowest power first, for a type of so many bytes."""

    def write(builder: Any, x: Any) -> Any:
        *rest, total = _constants(x, coefficients)
        for c in reversed(rest):
            total = fused(builder, total, x, c)
        return total

    return of_number(write)


def series(coefficients: Callable[[int], list[float]]) -> Any:
    """Σ c_k T_k(x), T_k the polynomials of Chebyshev, by Clenshaw's recurrence."""

    def write(builder: Any, x: Any) -> Any:
        first, *rest = _constants(x, coefficients)
        twice, one_above, two_above = builder.fadd(x, x), *[ir.Constant(x.type, 0.0)] * 2
        for c in reversed(rest):
            one_above, two_above = fused(builder, twice, one_above, builder.fsub(c, two_above)), one_above
        return fused(builder, x, one_above, builder.fsub(first, two_above))

    return of_number(write)


def _format(x: Any) -> tuple[Any, int, int]:
    """The integer of as many bits, bits of the fraction, and the exponent of 1."""
    return (ir.IntType(32), 23, 127) if isinstance(x.type, ir.FloatType) else (INTEGER, 52, 1023)


def _whole_in_lowest_bits(x: Any) -> Any:
    """What added to a number puts the nearest whole number there: 1.5 · 2^(bits of the fraction)."""
    _, bits, _ = _format(x)
    return ir.Constant(x.type, 1.5 * 2.0**bits)


def _power_of_two(builder: Any, x: Any) -> Any:
    integer, bits, bias = _format(x)
    shifted = builder.shl(builder.bitcast(x, integer), ir.Constant(integer, bits))
    return builder.bitcast(builder.add(shifted, ir.Constant(integer, bias << bits)), x.type)


def _split(builder: Any, x: Any) -> tuple[Any, Any]:
    """m and e of x = m · 2ᵉ, m from √½ to √2, both as real numbers; x is greater than 0."""
    integer, bits, bias = _format(x)
    root = 0x3F3504F3 if bits == 23 else 0x3FE6A09E667F3BCD  # the bits of √½
    constant = partial(ir.Constant, integer)
    moved = builder.add(builder.bitcast(x, integer), constant((bias << bits) - root))
    exponent = builder.sub(builder.lshr(moved, constant(bits)), constant(bias))
    fraction = builder.add(builder.and_(moved, constant((1 << bits) - 1)), constant(root))
    return builder.bitcast(fraction, x.type), builder.sitofp(exponent, x.type)


rounded = of_number(lambda builder, x: builder.fadd(x, _whole_in_lowest_bits(x)))
"""A sum whose lowest bits are the whole number nearest to x."""
whole = of_number(lambda builder, x: builder.fsub(x, _whole_in_lowest_bits(x)))
"""The whole number that `rounded` put there."""
power_of_two = of_number(_power_of_two)
"""2ⁿ, n the whole number that `rounded` put there."""
fraction_of = of_number(lambda builder, x: _split(builder, x)[0])
"""m of x = m · 2ᵉ, from √½ to √2; x is greater than 0."""
exponent_of = of_number(lambda builder, x: _split(builder, x)[1])
"""e of x = m · 2ᵉ."""


@intrinsic
def seen(typing, address):  # type: ignore[no-untyped-def]
    """The number that another thread has written there; what it wrote before is then seen as well."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        if ON_X86:  # says that this is a spin, so that a core's other thread gets the units
            builder.call(external(builder, "llvm.x86.sse2.pause", NOTHING, []), [])
        return builder.load_atomic(builder.inttoptr(values[0], INTEGER.as_pointer()), "acquire", WORD)

    return types.int64(types.int64), code


@intrinsic
def show(typing, address, number):  # type: ignore[no-untyped-def]
    """Write a number there for other threads, after all that was written before."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        builder.store_atomic(values[1], builder.inttoptr(values[0], INTEGER.as_pointer()), "release", WORD)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), code


@intrinsic
def give_way(typing):  # type: ignore[no-untyped-def]
    """Let another thread or process have this core.

    It sleeps, for the shortest time there is: Linux lets who wakes up run before who computed meanwhile, but makes who
    calls sched_yield wait for a whole slice of every neighbour.
    """

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        number = ir.IntType(32)
        return builder.call(external(builder, "usleep", number, [number]), [ir.Constant(number, 1)])

    return types.int32(), code


@intrinsic
def fetch(typing, address):  # type: ignore[no-untyped-def]
    """Bring what stands there nearer, into the second cache, while other work goes on."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        to_read, second_level, data = (ir.Constant(ir.IntType(32), number) for number in (0, 2, 1))
        pointer = builder.inttoptr(values[0], ir.IntType(8).as_pointer())
        arguments = [pointer, to_read, second_level, data]
        builder.call(external(builder, "llvm.prefetch.p0", NOTHING, [one.type for one in arguments]), arguments)
        return context.get_dummy_value()

    return types.void(types.int64), code
