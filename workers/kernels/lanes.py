"""Sixteen floats at once: the one vector type that the kernels of the analysis pass are written in.

What is done to one frame is done to sixteen neighbours in the same instructions, one frame a lane; so nothing waits for
a sum over a register, and no loop has to be recognised by the compiler before it fills vector registers. To numba a
`Lanes` is a number; where numba is switched off it is an array of sixteen, and the same source runs in numpy.

`a + b`, ``-``, ``*``, ``/`` work lane by lane, also with one float for all lanes on the right.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from workers.kernels.arguments import Doubles, Float32
from workers.kernels.compiled import JIT

LANES = 16
"""Floats in one: a register where there is AVX-512, two with AVX2, four with SSE or NEON."""

Lanes = Any
"""Sixteen float32. Numba knows the type; mypy need not."""

DOUBLES = 8
Doubles8 = Any
"""Eight float64, for the filters whose poles are too near the unit circle for float32."""

_EXPONENT = 0x7F800000
_MANTISSA = 0x007FFFFF
_ONE = 0x3F800000


if JIT:
    from llvmlite import ir  # type: ignore[import-untyped]
    from numba import types
    from numba.core.cgutils import get_or_insert_function
    from numba.core.datamodel import models
    from numba.extending import intrinsic, lower_builtin, register_model, type_callable

    class _LanesType(types.Type):  # type: ignore[misc]  # numba is untyped
        def __init__(self) -> None:
            super().__init__(name="float32x16")

    class _DoublesType(types.Type):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(name="float64x8")

    _lanes = _LanesType()
    _doubles = _DoublesType()
    _vector = ir.VectorType(ir.FloatType(), LANES)
    _wide = ir.VectorType(ir.DoubleType(), DOUBLES)
    _integers = ir.VectorType(ir.IntType(32), LANES)
    _masks = ir.VectorType(ir.IntType(1), LANES)
    _FLAGS = ("contract", "nsz", "arcp")

    @register_model(_LanesType)
    class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
        def __init__(self, manager: Any, front_end: Any) -> None:
            super().__init__(manager, front_end, _vector)

    @register_model(_DoublesType)
    class _DoublesModel(models.PrimitiveModel):  # type: ignore[misc]
        def __init__(self, manager: Any, front_end: Any) -> None:
            super().__init__(manager, front_end, _wide)

    def _splat(builder: Any, scalar: Any, vector: Any = _vector) -> Any:
        undefined = ir.Constant(vector, ir.Undefined)
        one = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
        return builder.shuffle_vector(one, undefined, zeros)

    def _operators(build: str, *symbols: Any) -> None:
        def lower(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b = arguments
            if isinstance(signature.args[1], types.Float):
                b = _splat(builder, context.cast(builder, b, signature.args[1], types.float32))
            return getattr(builder, build)(a, b, flags=_FLAGS)

        def typing(context: Any) -> Any:
            def typer(a: Any, b: Any) -> Any:
                if a is _doubles and b is _doubles:
                    return a
                return a if a is _lanes and (b is _lanes or isinstance(b, types.Float)) else None

            return typer

        for symbol in symbols:
            type_callable(symbol)(typing)
            lower_builtin(symbol, _LanesType, _LanesType)(lower)
            lower_builtin(symbol, _LanesType, types.Float)(lower)
            lower_builtin(symbol, _DoublesType, _DoublesType)(lower)

    _operators("fadd", operator.add, operator.iadd)
    _operators("fsub", operator.sub, operator.isub)
    _operators("fmul", operator.mul, operator.imul)
    _operators("fdiv", operator.truediv, operator.itruediv)

    def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, vector: Any = _vector) -> Any:
        data = context.make_array(array_type)(context, builder, array).data
        return builder.bitcast(builder.gep(data, [index], inbounds=True), vector.as_pointer())

    @intrinsic
    def load(typing: Any, x: Any, i: Any) -> Any:
        """``x[i : i + 16]``."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            at = _address(context, builder, signature.args[0], *arguments)
            return builder.load(at, align=4)

        return _lanes(x, types.intp), code

    @intrinsic
    def store(typing: Any, x: Any, i: Any, v: Any) -> Any:
        """``x[i : i + 16] = v``."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, value = arguments
            builder.store(value, _address(context, builder, signature.args[0], array, index), align=4)
            return context.get_dummy_value()

        return types.void(x, types.intp, _lanes), code

    def _every_second(first: int) -> Any:
        @intrinsic
        def load_half(typing: Any, x: Any, i: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                array, index = arguments
                kind = signature.args[0]
                low = builder.load(_address(context, builder, kind, array, index), align=4)
                behind = builder.add(index, ir.Constant(index.type, LANES))
                high = builder.load(_address(context, builder, kind, array, behind), align=4)
                picked = ir.Constant(_integers, [first + 2 * lane for lane in range(LANES)])
                return builder.shuffle_vector(low, high, picked)

            return _lanes(x, types.intp), code

        return load_half

    load_even = _every_second(0)
    load_odd = _every_second(1)

    @intrinsic
    def splat(typing: Any, value: Any) -> Any:
        """The same in every lane."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _splat(builder, context.cast(builder, arguments[0], signature.args[0], types.float32))

        return _lanes(value), code

    def _between(predicate: str) -> Any:
        @intrinsic
        def pick(typing: Any, a: Any, b: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                return builder.select(builder.fcmp_ordered(predicate, *arguments), *arguments)

            return _lanes(a, b), code

        return pick

    higher = _between(">")
    lower = _between("<")

    @intrinsic
    def where_less(typing: Any, a: Any, b: Any, then: Any, otherwise: Any) -> Any:
        """`then` in the lanes where ``a < b``, else `otherwise`."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            a, b, then, otherwise = arguments
            return builder.select(builder.fcmp_ordered("<", a, b), then, otherwise)

        return _lanes(a, b, then, otherwise), code

    def _unary(name: str) -> Any:
        @intrinsic
        def apply(typing: Any, v: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                kind = ir.FunctionType(_vector, [_vector])
                called = get_or_insert_function(builder.module, kind, f"{name}.v{LANES}f32")
                return builder.call(called, arguments)

            return _lanes(v), code

        return apply

    root = _unary("llvm.sqrt")
    magnitude = _unary("llvm.fabs")

    @intrinsic
    def exponent(typing: Any, v: Any) -> Any:
        """``floor(log2 v)`` of normal positive floats."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            bits = builder.bitcast(arguments[0], _integers)
            shifted = builder.lshr(bits, ir.Constant(_integers, [23] * LANES))
            return builder.sitofp(builder.sub(shifted, ir.Constant(_integers, [127] * LANES)), _vector)

        return _lanes(v), code

    @intrinsic
    def mantissa(typing: Any, v: Any) -> Any:
        """``v / 2^exponent(v)``, from 1 to 2."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            bits = builder.bitcast(arguments[0], _integers)
            kept = builder.and_(bits, ir.Constant(_integers, [_MANTISSA] * LANES))
            return builder.bitcast(builder.or_(kept, ir.Constant(_integers, [_ONE] * LANES)), _vector)

        return _lanes(v), code

    @intrinsic
    def lanes_less(typing: Any, a: Any, b: Any) -> Any:
        """A bit for each lane where ``a < b``, lane 0 the lowest."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            mask = builder.fcmp_ordered("<", *arguments)
            return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))

        return types.int64(a, b), code

    def _folded(build: str) -> Any:
        @intrinsic
        def fold(typing: Any, v: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                value = arguments[0]
                undefined = ir.Constant(_vector, ir.Undefined)
                for half in (8, 4, 2, 1):
                    order = [lane + half if lane < half else lane for lane in range(LANES)]
                    other = builder.shuffle_vector(value, undefined, ir.Constant(_integers, order))
                    if build == "sum":
                        value = builder.fadd(value, other)
                    else:
                        value = builder.select(builder.fcmp_ordered(">", value, other), value, other)
                return builder.extract_element(value, ir.Constant(ir.IntType(32), 0))

            return types.float32(v), code

        return fold

    total = _folded("sum")
    highest = _folded("max")

    @intrinsic
    def load_doubles(typing: Any, x: Any, i: Any) -> Any:
        """``x[i : i + 8]`` of float64."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.load(_address(context, builder, signature.args[0], *arguments, _wide), align=8)

        return _doubles(x, types.intp), code

    @intrinsic
    def splat_double(typing: Any, value: Any) -> Any:
        """The same float64 eight times."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return _splat(builder, context.cast(builder, arguments[0], signature.args[0], types.float64), _wide)

        return _doubles(value), code

    def _element(which: int) -> Any:
        @intrinsic
        def spread(typing: Any, v: Any) -> Any:
            def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                order = ir.Constant(ir.VectorType(ir.IntType(32), DOUBLES), [which] * DOUBLES)
                return builder.shuffle_vector(arguments[0], ir.Constant(_wide, ir.Undefined), order)

            return _doubles(v), code

        return spread

    spread_0, spread_1, spread_2, spread_3 = map(_element, range(4))

    @intrinsic
    def total_of_doubles(typing: Any, v: Any) -> Any:
        """Sum of the eight."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            parts = [builder.extract_element(arguments[0], ir.Constant(ir.IntType(32), i)) for i in range(DOUBLES)]
            while len(parts) > 1:
                parts = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
            return parts[0]

        return types.float64(v), code

    @intrinsic
    def store_doubles(typing: Any, x: Any, i: Any, v: Any) -> Any:
        """``x[i : i + 8] = v`` of float64."""

        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, index, value = arguments
            builder.store(value, _address(context, builder, signature.args[0], array, index, _wide), align=8)
            return context.get_dummy_value()

        return types.void(x, types.intp, _doubles), code

else:

    def load(x: Float32, i: int) -> Lanes:
        """``x[i : i + 16]``."""
        return x[i : i + LANES].copy()

    def store(x: Float32, i: int, v: Lanes) -> None:
        """``x[i : i + 16] = v``."""
        x[i : i + LANES] = v

    def load_even(x: Float32, i: int) -> Lanes:
        """``x[i : i + 32 : 2]``."""
        return x[i : i + 2 * LANES : 2].copy()

    def load_odd(x: Float32, i: int) -> Lanes:
        """``x[i + 1 : i + 32 : 2]``."""
        return x[i + 1 : i + 2 * LANES : 2].copy()

    def splat(value: float) -> Lanes:
        """The same in every lane."""
        return np.full(LANES, value, np.float32)

    def higher(a: Lanes, b: Lanes) -> Lanes:
        """The higher of each two."""
        return np.where(a > b, a, b)

    def lower(a: Lanes, b: Lanes) -> Lanes:
        """The lower of each two."""
        return np.where(a < b, a, b)

    def where_less(a: Lanes, b: Lanes, then: Lanes, otherwise: Lanes) -> Lanes:
        """`then` in the lanes where ``a < b``, else `otherwise`."""
        return np.where(a < b, then, otherwise)

    def root(v: Lanes) -> Lanes:
        """Square root."""
        return np.sqrt(v)

    def magnitude(v: Lanes) -> Lanes:
        """Absolute value."""
        return np.abs(v)

    def exponent(v: Lanes) -> Lanes:
        """``floor(log2 v)`` of normal positive floats."""
        return ((v.view(np.int32) >> 23) - 127).astype(np.float32)

    def mantissa(v: Lanes) -> Lanes:
        """``v / 2^exponent(v)``, from 1 to 2."""
        return ((v.view(np.int32) & _MANTISSA) | _ONE).view(np.float32)

    def lanes_less(a: Lanes, b: Lanes) -> int:
        """A bit for each lane where ``a < b``, lane 0 the lowest."""
        return int(((a < b) << np.arange(LANES)).sum())

    def total(v: Lanes) -> float:
        """Sum over the lanes."""
        return np.float32(v.sum())

    def highest(v: Lanes) -> float:
        """Highest lane."""
        return np.float32(v.max())

    def load_doubles(x: Doubles, i: int) -> Doubles8:
        """``x[i : i + 8]`` of float64."""
        return x[i : i + DOUBLES].copy()

    def store_doubles(x: Doubles, i: int, v: Doubles8) -> None:
        """``x[i : i + 8] = v`` of float64."""
        x[i : i + DOUBLES] = v

    def splat_double(value: float) -> Doubles8:
        """The same float64 eight times."""
        return np.full(DOUBLES, value)

    def spread_0(v: Doubles8) -> Doubles8:
        """The first of the eight, eight times; the next three likewise."""
        return np.full(DOUBLES, v[0])

    def spread_1(v: Doubles8) -> Doubles8:
        """The second."""
        return np.full(DOUBLES, v[1])

    def spread_2(v: Doubles8) -> Doubles8:
        """The third."""
        return np.full(DOUBLES, v[2])

    def spread_3(v: Doubles8) -> Doubles8:
        """The fourth."""
        return np.full(DOUBLES, v[3])

    def total_of_doubles(v: Doubles8) -> float:
        """Sum of the eight."""
        return float(v.sum())
