"""C ← α A B + β C by tiles that stay in registers: a core's peak in every shape that a network has, without a library.

There are two kinds of tile. The first runs along the rows of B: it takes a few rows of C times a few vectors, while k
runs; A may be transposed, B may not be. The second runs along k: it takes a few rows of A times a few columns of B,
both contiguous along k, and sums each product at its end. So no operand is ever copied. The idea of a tile is from Goto
& van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008. That a tile needs no packed copies if the
matrices are small is measured in docs/speed.md.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import typeof, types
from numba.extending import intrinsic

from scratchnet.engine.intrinsics import (
    INTEGER,
    NOTHING,
    external,
    fused,
    number,
    part_of_step,
    procedure,
    real_of,
    size_of,
    suffix,
)
from scratchnet.engine.machine import REGISTERS, VECTOR_BYTES

ROWS, VECTORS = (8, 3) if REGISTERS >= 32 else (6, 2)
"""Of the tile along the rows of B: so many accumulators, and room for a row of B and a number of A."""
SIDE = 4
"""Rows and columns of the tile along k."""
DEPTH = 1024
"""Of k at a time, so that what a tile reads again and again stays in the cache of a core."""
BLOCK_BYTES = 1 << 17
"""Of A at a time along k, which stay in a core's second cache while B passes by."""
BIT, INDEX = ir.IntType(1), ir.IntType(32)


class Matrix(NamedTuple):
    """Where a matrix stands: address, shape, and bytes from row to row and from column to column."""

    start: int
    rows: int
    columns: int
    down: int
    across: int


matrix = part_of_step(lambda *arguments: typeof(Matrix(0, 0, 0, 0, 0)))


@matrix
def transposed(A):  # type: ignore[no-untyped-def]
    """Aᵀ, the same numbers."""
    return Matrix(A.start, A.columns, A.rows, A.across, A.down)


@matrix
def rows_of(A, first, last):  # type: ignore[no-untyped-def]
    """Rows first to last − 1."""
    return Matrix(A.start + first * A.down, last - first, A.columns, A.down, A.across)


@matrix
def columns_of(A, first, last):  # type: ignore[no-untyped-def]
    """Columns first to last − 1."""
    return Matrix(A.start + first * A.across, A.rows, last - first, A.down, A.across)


@procedure
def product(alpha, A, B, beta, C):  # type: ignore[no-untyped-def]
    """C ← α A B + β C. C has no gaps along its rows; B has none along its rows, or neither A nor B has any along k."""
    if B.across == size_of(alpha):
        _along_rows(alpha, A, B, beta, C)
        return
    block = max(BLOCK_BYTES // (max(A.columns, 1) * size_of(alpha) * SIDE), 1) * SIDE
    for first in range(0, C.rows, block):
        last = min(first + block, C.rows)
        _along_k(alpha, rows_of(A, first, last), B, beta, rows_of(C, first, last))


@procedure
def _along_rows(alpha, A, B, beta, C):  # type: ignore[no-untyped-def]
    size = size_of(alpha)
    lanes = VECTOR_BYTES // size
    wide, high = _even(_parts(C.columns, lanes), VECTORS) * lanes, _even(C.rows, ROWS)
    for k in range(0, max(A.columns, 1), DEPTH):
        depth, factor = min(DEPTH, A.columns - k), beta if k == 0 else alpha / alpha
        for j in range(0, C.columns, wide):
            columns = min(wide, C.columns - j)
            for i in range(0, C.rows, high):
                a = A.start + i * A.down + k * A.across
                b = B.start + k * B.down + j * size
                c = C.start + i * C.down + j * size
                rows = min(high, C.rows - i)
                row_tile(rows, columns, depth, a, A.down, A.across, b, B.down, c, C.down, alpha, factor)


@procedure
def _along_k(alpha, A, B, beta, C):  # type: ignore[no-untyped-def]
    size = size_of(alpha)
    high, wide = _even(C.rows, SIDE), _even(C.columns, SIDE)
    for k in range(0, max(A.columns, 1), DEPTH):
        depth, factor = min(DEPTH, A.columns - k), beta if k == 0 else alpha / alpha
        for j in range(0, C.columns, wide):
            columns = min(wide, C.columns - j)
            for i in range(0, C.rows, high):
                a, b = A.start + i * A.down + k * size, B.start + j * B.across + k * size
                c = C.start + i * C.down + j * size
                k_tile(min(high, C.rows - i), columns, depth, a, A.down, b, B.across, c, C.down, alpha, factor)


@number
def _parts(count, most):  # type: ignore[no-untyped-def]
    return (count + most - 1) // most


@number
def _even(count, most):  # type: ignore[no-untyped-def]
    """How many to take at a time, at most so many, so that the last part is not much smaller than the others."""
    return max(_parts(count, max(_parts(count, most), 1)), 1)


class _Writer:
    """Writes one tile: LLVM's instructions of one case of a switch."""

    def __init__(self, builder: Any, real: Any, size: int) -> None:
        self.builder, self.real, self.size, self.lanes = builder, real, size, VECTOR_BYTES // size
        self.kind = ir.VectorType(real, self.lanes)
        self.zero = ir.Constant(self.kind, [0.0] * self.lanes)

    def integer(self, number: int) -> Any:
        return ir.Constant(INTEGER, number)

    def at(self, start: Any, index: int, step: Any) -> Any:
        """The address start + index · step."""
        return self.builder.add(start, self.builder.mul(step, self.integer(index))) if index else start

    def pointer(self, address: Any, kind: Any) -> Any:
        return self.builder.inttoptr(address, kind.as_pointer())

    def load(self, address: Any, kind: Any) -> Any:
        loaded = self.builder.load(self.pointer(address, kind))
        loaded.align = self.size
        return loaded

    def store(self, value: Any, address: Any) -> None:
        self.builder.store(value, self.pointer(address, value.type)).align = self.size

    def load_some(self, address: Any, mask: Any) -> Any:
        function = f"llvm.masked.load.{suffix(self.kind)}.p0"
        arguments = [self.pointer(address, self.kind), ir.Constant(INDEX, self.size), mask, self.zero]
        kinds = [argument.type for argument in arguments]
        return self.builder.call(external(self.builder, function, self.kind, kinds), arguments)

    def store_some(self, value: Any, address: Any, mask: Any) -> None:
        function = f"llvm.masked.store.{suffix(self.kind)}.p0"
        arguments = [value, self.pointer(address, self.kind), ir.Constant(INDEX, self.size), mask]
        kinds = [argument.type for argument in arguments]
        self.builder.call(external(self.builder, function, NOTHING, kinds), arguments)

    def splat(self, number: Any, lanes: int) -> Any:
        """The number in every place of a vector."""
        kind = ir.VectorType(number.type, lanes)
        alone = self.builder.insert_element(ir.Constant(kind, ir.Undefined), number, ir.Constant(INDEX, 0))
        return self.shuffle(alone, alone, [0] * lanes)

    def times(self, beta: Any, vector: Any) -> Any:
        """β times the vector; where β is 0 it is 0, whatever stood there."""
        builder, nothing = self.builder, ir.Constant(vector.type, [0.0] * vector.type.count)
        is_zero = builder.fcmp_ordered("==", beta, ir.Constant(self.real, 0.0))
        return builder.select(is_zero, nothing, builder.fmul(self.splat(beta, vector.type.count), vector))

    def shuffle(self, one: Any, other: Any, places: list[int]) -> Any:
        return self.builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(INDEX, len(places)), places))

    def first(self, count: Any) -> Any:
        """The mask of the first `count` places."""
        places = ir.Constant(ir.VectorType(INTEGER, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_signed("<", places, self.splat(count, self.lanes))

    def loop(self, end: Any, step: int, count: int, body: Any) -> list[Any]:
        """`count` accumulators after k = 0, step, ... below `end`; `body` gives their next values from k and them."""
        builder, before = self.builder, self.builder.block
        inside, after = builder.append_basic_block("k"), builder.append_basic_block("after")
        builder.cbranch(builder.icmp_signed(">", end, self.integer(0)), inside, after)
        builder.position_at_end(inside)
        k = builder.phi(INTEGER)
        sums = [builder.phi(self.kind) for _ in range(count)]
        following = body(k, sums)
        next_k = builder.add(k, self.integer(step))
        k.add_incoming(self.integer(0), before)
        k.add_incoming(next_k, inside)
        for sum_, next_sum in zip(sums, following, strict=True):
            sum_.add_incoming(self.zero, before)
            sum_.add_incoming(next_sum, inside)
        builder.cbranch(builder.icmp_signed("<", next_k, end), inside, after)
        builder.position_at_end(after)
        totals = [builder.phi(self.kind) for _ in range(count)]
        for total, next_sum in zip(totals, following, strict=True):
            total.add_incoming(self.zero, before)
            total.add_incoming(next_sum, inside)
        return totals


def _write_row_tile(write: _Writer, rows: int, vectors: int, values: list[Any]) -> None:
    columns, depth, A, A_down, A_across, B, B_down, C, C_down, alpha, beta = values
    builder, bytes_ = write.builder, write.lanes * write.size
    last = write.first(builder.sub(columns, write.integer(write.lanes * (vectors - 1))))

    def body(k: Any, sums: list[Any]) -> list[Any]:
        row = builder.add(B, builder.mul(k, B_down))
        parts = [write.load(builder.add(row, write.integer(v * bytes_)), write.kind) for v in range(vectors - 1)]
        parts.append(write.load_some(builder.add(row, write.integer((vectors - 1) * bytes_)), last))
        start, following = builder.add(A, builder.mul(k, A_across)), []
        for i in range(rows):
            number = write.splat(write.load(write.at(start, i, A_down), write.real), write.lanes)
            following += [
                fused(builder, number, part, sum_)
                for part, sum_ in zip(parts, sums[i * vectors : (i + 1) * vectors], strict=True)
            ]
        return following

    totals = write.loop(depth, 1, rows * vectors, body)
    alphas = write.splat(alpha, write.lanes)
    every = ir.Constant(ir.VectorType(BIT, write.lanes), [1] * write.lanes)
    for place, total in enumerate(totals):
        i, v = divmod(place, vectors)
        address = builder.add(write.at(C, i, C_down), write.integer(v * bytes_))
        mask = last if v == vectors - 1 else every
        before = write.times(beta, write.load_some(address, mask))
        write.store_some(fused(builder, alphas, total, before), address, mask)


def _write_k_tile(write: _Writer, rows: int, columns: int, values: list[Any]) -> None:
    depth, A, A_down, B, B_across, C, C_down, alpha, beta = values
    builder, lanes = write.builder, write.lanes
    whole = builder.and_(depth, write.integer(-lanes))
    rest = write.first(builder.sub(depth, whole))

    def products(k: Any, sums: list[Any], load: Any) -> list[Any]:
        offset = builder.mul(k, write.integer(write.size))
        of_A, of_B = (
            [load(builder.add(write.at(start, index, step), offset)) for index in range(count)]
            for start, step, count in ((A, A_down, rows), (B, B_across, columns))
        )
        pairs = [(a, b) for a in of_A for b in of_B]
        return [fused(builder, a, b, sum_) for (a, b), sum_ in zip(pairs, sums, strict=True)]

    totals = write.loop(
        whole, lanes, rows * columns, lambda k, sums: products(k, sums, lambda address: write.load(address, write.kind))
    )
    totals = products(whole, totals, lambda address: write.load_some(address, rest))
    sums = _sums(write, totals)
    alphas = write.splat(alpha, columns)
    for i in range(rows):
        row, address = _together(write, sums[i * columns : (i + 1) * columns]), write.at(C, i, C_down)
        before = write.times(beta, write.load(address, row.type))
        write.store(fused(builder, alphas, row, before), address)


def _sums(write: _Writer, vectors: list[Any]) -> list[tuple[Any, int]]:
    """Where the sum over each vector's places stands: in which vector, at which place.

    Two vectors become one, in which each pair of neighbours is added up; so do two of these, until one is left.
    """
    lanes = write.lanes
    found = []
    for start in range(0, len(vectors), lanes):
        group = vectors[start : start + lanes]
        count = len(group)
        group = group + [write.zero] * (lanes - count)
        while len(group) > 1:
            group = [_neighbours(write, *group[i : i + 2]) for i in range(0, len(group), 2)]
        found += [(group[0], place) for place in range(count)]
    return found


def _neighbours(write: _Writer, x: Any, y: Any) -> Any:
    if x is write.zero:
        return x
    even = write.shuffle(x, y, list(range(0, 2 * write.lanes, 2)))
    return write.builder.fadd(even, write.shuffle(x, y, list(range(1, 2 * write.lanes, 2))))


def _together(write: _Writer, places: list[tuple[Any, int]]) -> Any:
    """These sums as one vector."""
    vector, _ = places[0]
    if all(other is vector for other, _ in places):
        return write.shuffle(vector, vector, [place for _, place in places])
    kind = ir.VectorType(write.real, len(places))
    joined = ir.Constant(kind, ir.Undefined)
    for index, (source, place) in enumerate(places):
        number = write.builder.extract_element(source, ir.Constant(INDEX, place))
        joined = write.builder.insert_element(joined, number, ir.Constant(INDEX, index))
    return joined


def _switch(builder: Any, place: Any, cases: dict[int, Any]) -> None:
    """Run the case whose number is `place`."""
    after, nowhere = builder.append_basic_block("done"), builder.append_basic_block("nowhere")
    switch = builder.switch(place, nowhere)
    for case, write in cases.items():
        block = builder.append_basic_block("tile")
        switch.add_case(ir.Constant(INTEGER, case), block)
        builder.position_at_end(block)
        write()
        builder.branch(after)
    builder.position_at_end(nowhere)
    builder.unreachable()
    builder.position_at_end(after)


def _tile(writer: Any, most_rows: int, most_parts: int, parts_of: Any, passes_columns: bool) -> Any:
    """An intrinsic (rows, columns, ...) that has a tile for each height and each width."""

    def code(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        real, size = real_of(signature.args[-1])
        write = _Writer(builder, real, size)
        rows, columns, *others = values
        given = [columns, *others] if passes_columns else others
        parts = parts_of(builder, columns, write.lanes)
        place = builder.add(builder.mul(rows, write.integer(most_parts)), parts)
        _switch(
            builder,
            place,
            {
                high * most_parts + wide: (lambda high=high, wide=wide: writer(write, high, wide, given))
                for high in range(1, most_rows + 1)
                for wide in range(1, most_parts + 1)
            },
        )
        return context.get_dummy_value()

    return code


def _vectors_in(builder: Any, columns: Any, lanes: int) -> Any:
    more = builder.add(columns, ir.Constant(INTEGER, lanes - 1))
    return builder.udiv(more, ir.Constant(INTEGER, lanes))


_ROW_TILE = _tile(_write_row_tile, ROWS, VECTORS, _vectors_in, passes_columns=True)
_K_TILE = _tile(_write_k_tile, SIDE, SIDE, lambda builder, columns, lanes: columns, passes_columns=False)


@intrinsic
def row_tile(typing, rows, columns, depth, A, A_down, A_across, B, B_down, C, C_down, alpha, beta):  # type: ignore[no-untyped-def]
    """At most ROWS rows and VECTORS vectors of C ← α A B + β C, along the rows of B."""
    return types.void(*[types.int64] * 10, alpha, alpha), _ROW_TILE


@intrinsic
def k_tile(typing, rows, columns, depth, A, A_down, B, B_across, C, C_down, alpha, beta):  # type: ignore[no-untyped-def]
    """At most SIDE rows and columns of C ← α A B + β C, along k."""
    return types.void(*[types.int64] * 9, alpha, alpha), _K_TILE
