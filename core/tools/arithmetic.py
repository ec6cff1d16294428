"""Arithmetic on fractions, from text. Python's parser reads it; nothing of it is ever run.

What has no fraction (a root, a logarithm) is calculated to 50 digits, and the result says "about". Numbers are limited
to 4,000 digits on either side of the fraction bar, before they are calculated: no power can hold up a thread.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction

_MOST_CHARACTERS = 2_000
_MOST_DIGITS = 4_000
_MOST_BITS = int(_MOST_DIGITS * math.log2(10))
_DIGITS = 50
_SHOWN_DIGITS = 30
_MOST_FACTORIAL = 1_000
_PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494")


# Power, multiplication, division and minus as people and models write them.
_AS_TYPED_ELSEWHERE = {ord("^"): "**", 0xD7: "*", 0xF7: "/", 0x2212: "-"}


class CalculationError(Exception):
    """Why an expression has no result, and what to change."""


@dataclass(frozen=True, slots=True)
class Value:
    """A number; `exact` is False once something without a fraction went into it."""

    number: Fraction
    exact: bool = True


def calculate(expression: str) -> str:
    """The result as text: exact, with an approximation beside a fraction that has no finite decimals.

    Raises CalculationError.
    """
    if len(expression) > _MOST_CHARACTERS:
        raise CalculationError(f"The expression is longer than {_MOST_CHARACTERS:,} characters. Calculate it in parts.")
    text = expression.strip().translate(_AS_TYPED_ELSEWHERE)
    try:
        return _shown(_value(ast.parse(text, mode="eval").body, text))
    except SyntaxError as error:
        raise CalculationError(f"This is no expression: {error.msg}.") from error
    except (RecursionError, MemoryError) as error:
        raise CalculationError("The expression is nested too deeply. Calculate it in parts.") from error
    except ZeroDivisionError as error:
        raise CalculationError("It divides by zero.") from error
    except (ArithmeticError, ValueError) as error:
        raise CalculationError("The expression has no result that can be calculated.") from error


def _value(node: ast.expr, text: str) -> Value:
    match node:
        case ast.Constant():
            return _number(ast.get_source_segment(text, node) or "")
        case ast.Name(id=name):
            return _constant(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = _value(operand, text)
            return Value(-value.number, value.exact)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, text)
        case ast.BinOp():
            return _chain(node, text)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _called(name, [_value(argument, text) for argument in arguments])
    raise CalculationError(f"{ast.unparse(node)} is no arithmetic. Use numbers, operators and the named functions.")


def _number(text: str) -> Value:
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise CalculationError(f"{text} is no number. Use a decimal point and no separators.") from None
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise _too_large()
    return Value(Fraction(number))


def _constant(name: str) -> Value:
    if name == "pi":
        return Value(Fraction(_PI), exact=False)
    if name == "e":
        return Value(Fraction(Context(prec=_DIGITS).exp(Decimal(1))), exact=False)
    raise CalculationError(f"{name} is unknown: there are no variables, only pi and e.")


def _chain(node: ast.BinOp, text: str) -> Value:
    """A chain such as 1 + 2 + 3 + ..., which the parser nests to the left, without going as deep as it is long."""
    links = [node]
    while isinstance(links[-1].left, ast.BinOp):
        links.append(links[-1].left)
    value = _value(links[-1].left, text)
    for link in reversed(links):
        value = _limited(_operated(link.op, value, _value(link.right, text)))
    return value


def _operated(operator: ast.operator, left: Value, right: Value) -> Value:
    exact, a, b = left.exact and right.exact, left.number, right.number
    if isinstance(operator, ast.Pow):
        return _power(left, right)
    work = _OPERATORS.get(type(operator))
    if work is None:
        raise CalculationError("Only + - * / // % and ** are known.")
    return Value(Fraction(work(a, b)), exact)


def _power(base: Value, exponent: Value) -> Value:
    power = exponent.number
    if power.denominator != 1:
        return _inexact(lambda context: context.power(_decimal(base, context), _decimal(exponent, context)))
    bits = max(base.number.numerator.bit_length(), base.number.denominator.bit_length())
    # Powers of 0, 1 and -1 stay small, whatever the exponent; it is brought down to one with the same sign and parity.
    if abs(base.number) in {0, 1}:
        power = Fraction((power > 0) - (power < 0)) * (2 - abs(power.numerator) % 2)
    elif bits * abs(power) > 2 * _MOST_BITS:
        raise _too_large()
    return Value(base.number ** int(power), base.exact and exponent.exact)


def _called(name: str, arguments: Sequence[Value]) -> Value:
    function = _FUNCTIONS.get(name)
    if function is None:
        raise CalculationError(f"There is no function {name}. There are: {', '.join(_FUNCTIONS)}.")
    least, most, work = function
    if not least <= len(arguments) <= most:
        raise CalculationError(f"{name} does not take {len(arguments)} numbers.")
    return _limited(work(arguments))


def _mapped(work: Callable[[Fraction], int | Fraction]) -> Callable[[Sequence[Value]], Value]:
    return lambda values: Value(Fraction(work(values[0].number)), values[0].exact)


def _over_all(work: Callable[[Sequence[Fraction]], Fraction]) -> Callable[[Sequence[Value]], Value]:
    return lambda values: Value(work([value.number for value in values]), all(value.exact for value in values))


def _whole(values: Sequence[Value]) -> list[int]:
    if any(value.number.denominator != 1 for value in values):
        raise CalculationError("This function takes whole numbers only.")
    return [int(value.number) for value in values]


def _round(values: Sequence[Value]) -> Value:
    places = _whole(values[1:])[0] if len(values) > 1 else 0
    if abs(places) > _MOST_DIGITS:
        raise _too_large()
    return Value(round(values[0].number, places), values[0].exact)


def _sqrt(values: Sequence[Value]) -> Value:
    [value] = values
    if value.number < 0:
        raise CalculationError("A negative number has no real root.")
    top, bottom = math.isqrt(value.number.numerator), math.isqrt(value.number.denominator)
    if (top * top, bottom * bottom) == (value.number.numerator, value.number.denominator):
        return Value(Fraction(top, bottom), value.exact)
    return _inexact(lambda context: context.sqrt(_decimal(value, context)))


def _factorial(values: Sequence[Value]) -> Value:
    [whole] = _whole(values)
    if not 0 <= whole <= _MOST_FACTORIAL:
        raise CalculationError(f"factorial takes whole numbers from 0 to {_MOST_FACTORIAL:,}.")
    return Value(Fraction(math.factorial(whole)), values[0].exact)


def _by_decimal(work: Callable[[Context, Decimal], Decimal]) -> Callable[[Sequence[Value]], Value]:
    return lambda values: _inexact(lambda context: work(context, _decimal(values[0], context)))


def _inexact(work: Callable[[Context], Decimal]) -> Value:
    # Exponents as large as this still print; beyond them Decimal raises Overflow, and underflow gives zero.
    result = work(Context(prec=_DIGITS, Emax=_MOST_DIGITS, Emin=-_MOST_DIGITS))
    if not result.is_finite():
        raise _too_large()
    return Value(Fraction(result), exact=False)


def _decimal(value: Value, context: Context) -> Decimal:
    return context.divide(Decimal(value.number.numerator), Decimal(value.number.denominator))


_OPERATORS: Mapping[type[ast.operator], Callable[[Fraction, Fraction], Fraction | int]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}
_MANY = 1_000
_FUNCTIONS: Mapping[str, tuple[int, int, Callable[[Sequence[Value]], Value]]] = {
    "abs": (1, 1, _mapped(abs)),
    "ceil": (1, 1, _mapped(math.ceil)),
    "exp": (1, 1, _by_decimal(lambda context, number: context.exp(number))),
    "factorial": (1, 1, _factorial),
    "floor": (1, 1, _mapped(math.floor)),
    "gcd": (1, _MANY, lambda values: Value(Fraction(math.gcd(*_whole(values))), exact=True)),
    "lcm": (1, 20, lambda values: Value(Fraction(math.lcm(*_whole(values))), exact=True)),
    "ln": (1, 1, _by_decimal(lambda context, number: context.ln(number))),
    "log10": (1, 1, _by_decimal(lambda context, number: context.log10(number))),
    "max": (1, _MANY, _over_all(max)),
    "min": (1, _MANY, _over_all(min)),
    "round": (1, 2, _round),
    "sqrt": (1, 1, _sqrt),
    "sum": (1, _MANY, _over_all(lambda numbers: sum(numbers, Fraction(0)))),
}


def _limited(value: Value) -> Value:
    if max(value.number.numerator.bit_length(), value.number.denominator.bit_length()) > _MOST_BITS:
        raise _too_large()
    return value


def _too_large() -> CalculationError:
    return CalculationError(f"A number on the way has more than {_MOST_DIGITS:,} digits.")


def _shown(value: Value) -> str:
    number = _limited(value).number
    if not value.exact:
        return f"about {_rounded(number)}"
    if number.denominator == 1:
        return str(number.numerator)
    finite = _finite(number)
    return finite if finite is not None else f"{number} (about {_rounded(number)})"


def _rounded(number: Fraction) -> str:
    with localcontext(Context(prec=_SHOWN_DIGITS)) as context:
        return str(context.divide(Decimal(number.numerator), Decimal(number.denominator)).normalize())


def _finite(number: Fraction) -> str | None:
    """The decimals of a fraction whose denominator is made of twos and fives; None for others, or for very many."""
    rest, places = number.denominator, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1 or places > _MOST_DIGITS:
        return None
    digits = str(abs(number.numerator) * 10**places // number.denominator).rjust(places + 1, "0")
    return f"{'-' if number < 0 else ''}{digits[:-places]}.{digits[-places:]}"
