"""What numba makes of the functions of `workers.kernels.lanes`: LLVM's vectors, and operations on them.

Without it each would be a loop over sixteen floats that LLVM may or may not see as a vector; in a butterfly with
sixteen loads and stores, whose rows it cannot prove apart, it does not.
"""

# numba and llvmlite have no types that mypy knows
# mypy: disable-error-code="misc, no-untyped-call, import-untyped"

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core.cgutils import get_or_insert_function
from numba.core.datamodel import models
from numba.core.typing.templates import signature
from numba.extending import lower_builtin, register_model, type_callable

LANES = 16
DOUBLES = 8

_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_INTEGERS = ir.VectorType(ir.IntType(32), LANES)
_WIDE = ir.VectorType(ir.DoubleType(), DOUBLES)
_FLAGS = ("contract", "nsz", "arcp")


class _LanesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="float32x16")


class _DoublesType(types.Type):
    def __init__(self) -> None:
        super().__init__(name="float64x8")


_lanes, _doubles = _LanesType(), _DoublesType()


@register_model(_LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, front_end: Any) -> None:
        super().__init__(manager, front_end, _FLOATS)


@register_model(_DoublesType)
class _DoublesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, front_end: Any) -> None:
        super().__init__(manager, front_end, _WIDE)


def _integer(value: int) -> Any:
    return ir.Constant(ir.IntType(32), value)


def _integers(*values: int) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), len(values)), values)


def _undefined(vector: Any) -> Any:
    return ir.Constant(vector, ir.Undefined)


def _splat(builder: Any, scalar: Any, vector: Any) -> Any:
    one = builder.insert_element(_undefined(vector), scalar, _integer(0))
    return builder.shuffle_vector(one, _undefined(vector), _integers(*[0] * vector.count))


# -- operators


def _operator(build: str, *symbols: Any) -> None:
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        a, b = arguments
        if isinstance(found.args[1], types.Float):
            b = _splat(builder, context.cast(builder, b, found.args[1], types.float32), _FLOATS)
        return getattr(builder, build)(a, b, flags=_FLAGS)

    def typing(context: Any) -> Any:
        def typer(a: Any, b: Any) -> Any:
            if a is _doubles and b is _doubles:
                return a
            return a if a is _lanes and (b is _lanes or isinstance(b, types.Float)) else None

        return typer

    for symbol in symbols:
        type_callable(symbol)(typing)
        for left, right in (
            (_LanesType, _LanesType),
            (_LanesType, types.Float),
            (_DoublesType, _DoublesType),
        ):
            lower_builtin(symbol, left, right)(code)


_operator("fadd", operator.add, operator.iadd)
_operator("fsub", operator.sub, operator.isub)
_operator("fmul", operator.mul, operator.imul)
_operator("fdiv", operator.truediv, operator.itruediv)


# -- functions: each is a rule of what it returns, of which types it takes (None: any float), and the code it becomes

Code = Callable[..., Any]
_rules: dict[str, tuple[Any, tuple[Any, ...], Code]] = {}


def _rule(name: str, result: Any, *kinds: Any) -> Callable[[Code], Code]:
    def keep(code: Code) -> Code:
        _rules[name] = (result, kinds, code)
        return code

    return keep


def _array(element: Any) -> Any:
    return types.Array(element, 1, "C")


_FLOAT_ARRAY, _DOUBLE_ARRAY = _array(types.float32), _array(types.float64)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index], inbounds=True), vector.as_pointer())


def _access(suffix: str, array: Any, vector: Any, kind: Any, align: int) -> None:
    @_rule("load" + suffix, kind, array, types.intp)
    def load(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        array, index = arguments
        return builder.load(_address(context, builder, found.args[0], array, index, vector), align=align)

    @_rule("store" + suffix, types.void, array, types.intp, kind)
    def store(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        array, index, value = arguments
        builder.store(value, _address(context, builder, found.args[0], array, index, vector), align=align)
        return context.get_dummy_value()


_access("", _FLOAT_ARRAY, _FLOATS, _lanes, 4)
_access("_doubles", _DOUBLE_ARRAY, _WIDE, _doubles, 8)


def _every_second(name: str, first: int) -> None:
    @_rule(name, _lanes, _FLOAT_ARRAY, types.intp)
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        array, index = arguments
        behind = builder.add(index, ir.Constant(index.type, LANES))
        low, high = (
            builder.load(_address(context, builder, found.args[0], array, at, _FLOATS), align=4)
            for at in (index, behind)
        )
        return builder.shuffle_vector(low, high, _integers(*range(first, 2 * LANES, 2)))


_every_second("load_even", 0)
_every_second("load_odd", 1)


@_rule("splat", _lanes, types.float32)
def _splat_float(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    return _splat(builder, arguments[0], _FLOATS)


@_rule("splat_double", _doubles, types.float64)
def _splat_double(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    return _splat(builder, arguments[0], _WIDE)


def _one_of_two(name: str, predicate: str) -> None:
    @_rule(name, _lanes, _lanes, _lanes)
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(predicate, *arguments), *arguments)


_one_of_two("higher", ">")
_one_of_two("lower", "<")


@_rule("where_less", _lanes, _lanes, _lanes, _lanes, _lanes)
def _where_less(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    a, b, then, otherwise = arguments
    return builder.select(builder.fcmp_ordered("<", a, b), then, otherwise)


@_rule("lanes_less", types.int64, _lanes, _lanes)
def _lanes_less(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    mask = builder.fcmp_ordered("<", *arguments)
    return builder.zext(builder.bitcast(mask, ir.IntType(LANES)), ir.IntType(64))


def _intrinsic(name: str, called: str) -> None:
    @_rule(name, _lanes, _lanes)
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(_FLOATS, [_FLOATS])
        return builder.call(get_or_insert_function(builder.module, kind, f"llvm.{called}.v{LANES}f32"), arguments)


_intrinsic("root", "sqrt")
_intrinsic("magnitude", "fabs")


@_rule("exponent", _lanes, _lanes)
def _exponent(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    shifted = builder.lshr(builder.bitcast(arguments[0], _INTEGERS), _integers(*[23] * LANES))
    return builder.sitofp(builder.sub(shifted, _integers(*[127] * LANES)), _FLOATS)


@_rule("mantissa", _lanes, _lanes)
def _mantissa(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
    kept = builder.and_(builder.bitcast(arguments[0], _INTEGERS), _integers(*[0x007FFFFF] * LANES))
    return builder.bitcast(builder.or_(kept, _integers(*[0x3F800000] * LANES)), _FLOATS)


def _fold(name: str, result: Any, kind: Any, join: Callable[[Any, Any, Any], Any]) -> None:
    """The upper half onto the lower, until one is left."""

    @_rule(name, result, kind)
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        (value,) = arguments
        count = value.type.count
        half = count // 2
        while half:
            order = [lane + half if lane < half else lane for lane in range(count)]
            other = builder.shuffle_vector(value, _undefined(value.type), _integers(*order))
            value = join(builder, value, other)
            half //= 2
        return builder.extract_element(value, _integer(0))


def _higher_of(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


_fold("total", types.float32, _lanes, lambda builder, a, b: builder.fadd(a, b))
_fold("highest", types.float32, _lanes, _higher_of)
_fold("total_of_doubles", types.float64, _doubles, lambda builder, a, b: builder.fadd(a, b))


def _spread(which: int) -> None:
    @_rule(f"spread_{which}", _doubles, _doubles)
    def code(context: Any, builder: Any, found: Any, arguments: Any) -> Any:
        return builder.shuffle_vector(arguments[0], _undefined(_WIDE), _integers(*[which] * DOUBLES))


for _which in range(4):
    _spread(_which)


def _typing(result: Any, kinds: tuple[Any, ...]) -> Callable[[Any], Any]:
    """numba asks by position, and wants a function of so many."""

    def fits(*given: Any) -> Any:
        for one, kind in zip(given, kinds, strict=True):
            if isinstance(kind, types.Array):
                if not (
                    isinstance(one, types.Array) and one.dtype is kind.dtype and one.ndim == 1 and one.layout == "C"
                ):
                    return None
            elif kind in (_lanes, _doubles) and one is not kind:
                return None
        wanted = [one if isinstance(kind, types.Array) else kind for one, kind in zip(given, kinds, strict=True)]
        return signature(result, *wanted)

    typers = {
        1: lambda a: fits(a),
        2: lambda a, b: fits(a, b),
        3: lambda a, b, c: fits(a, b, c),
        4: lambda a, b, c, d: fits(a, b, c, d),
    }
    return lambda context: typers[len(kinds)]


def teach(**functions: Callable[..., Any]) -> None:
    """Let numba compile each function as the rule of its name says."""
    for name, function in functions.items():
        result, kinds, code = _rules[name]
        type_callable(function)(_typing(result, kinds))
        lowered = [types.Array if isinstance(kind, types.Array) else kind for kind in kinds]
        lower_builtin(function, *lowered)(code)
