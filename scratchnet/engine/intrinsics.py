"""What Python cannot say to the compiler: numbers at an address, constants of a type, bits of numbers, threads' flags.

Addresses and steps are in bytes. `one` is a number of the network's dtype: by it a function knows which dtype to use.
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


def polynomial(coefficients: Callable[[int], list[float]]) -> Any:
    """Σ c_k xᵏ; `coefficients` gives them, lowest power first, for a type of so many bytes."""

    @intrinsic
    def value(typing, x):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
            real, size = real_of(x)
            *rest, total = (ir.Constant(real, c) for c in coefficients(size))
            for c in reversed(rest):
                total = fused(builder, total, values[0], c)
            return total

        return x(x), code

    return value


def series(coefficients: Callable[[int], list[float]]) -> Any:
    """Σ c_k T_k(x), T_k the polynomials of Chebyshev, by Clenshaw's recurrence."""

    @intrinsic
    def value(typing, x):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
            real, size = real_of(x)
            first, *rest = (ir.Constant(real, c) for c in coefficients(size))
            twice = builder.fadd(values[0], values[0])
            one_above = two_above = ir.Constant(real, 0.0)
            for c in reversed(rest):
                one_above, two_above = fused(builder, twice, one_above, builder.fsub(c, two_above)), one_above
            return fused(builder, values[0], one_above, builder.fsub(first, two_above))

        return x(x), code

    return value


def _format(real: Any) -> tuple[Any, int, int]:
    """The integer of as many bits, bits of the fraction, and the exponent of 1."""
    return (ir.IntType(32), 23, 127) if isinstance(real, ir.FloatType) else (INTEGER, 52, 1023)


@intrinsic
def rounded(typing, x):  # type: ignore[no-untyped-def]
    """x + 1.5 · 2^(bits of the fraction): the whole number nearest to x stands in the lowest bits."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        _, bits, _ = _format(values[0].type)
        return builder.fadd(values[0], ir.Constant(values[0].type, 1.5 * 2.0**bits))

    return x(x), code


@intrinsic
def whole(typing, x):  # type: ignore[no-untyped-def]
    """The whole number that `rounded` put there."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        _, bits, _ = _format(values[0].type)
        return builder.fsub(values[0], ir.Constant(values[0].type, 1.5 * 2.0**bits))

    return x(x), code


@intrinsic
def power_of_two(typing, x):  # type: ignore[no-untyped-def]
    """2ⁿ, n the whole number that `rounded` put there."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        integer, bits, bias = _format(values[0].type)
        shifted = builder.shl(builder.bitcast(values[0], integer), ir.Constant(integer, bits))
        return builder.bitcast(builder.add(shifted, ir.Constant(integer, bias << bits)), values[0].type)

    return x(x), code


def _split(builder: Any, x: Any) -> tuple[Any, Any]:
    """m and e of x = m · 2ᵉ, m from √½ to √2, both as real numbers."""
    integer, bits, bias = _format(x.type)
    root = 0x3F3504F3 if bits == 23 else 0x3FE6A09E667F3BCD  # the bits of √½
    constant = partial(ir.Constant, integer)
    moved = builder.add(builder.bitcast(x, integer), constant((bias << bits) - root))
    exponent = builder.sub(builder.lshr(moved, constant(bits)), constant(bias))
    fraction = builder.add(builder.and_(moved, constant((1 << bits) - 1)), constant(root))
    return builder.bitcast(fraction, x.type), builder.sitofp(exponent, x.type)


@intrinsic
def fraction_of(typing, x):  # type: ignore[no-untyped-def]
    """m of x = m · 2ᵉ, from √½ to √2; x is greater than 0."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _split(builder, values[0])[0]

    return x(x), code


@intrinsic
def exponent_of(typing, x):  # type: ignore[no-untyped-def]
    """e of x = m · 2ᵉ."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return _split(builder, values[0])[1]

    return x(x), code


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
    """Let another thread or process have this core."""

    def code(context, builder, signature, values):  # type: ignore[no-untyped-def]
        return builder.call(external(builder, "sched_yield", ir.IntType(32), []), [])

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
