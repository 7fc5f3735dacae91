"""Baby Jubjub by its definition in a few lines of Python: the referee of the Rust in these tests."""

from collections.abc import Iterator

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
ORDER = 2736030358979909402780800718157159386076813972158567259200215660948447373041
A, D = 168700, 168696
IDENTITY = (0, 1)

Point = tuple[int, int]


def is_on_curve(point: Point) -> bool:
    x, y = point
    return (A * x * x + y * y - 1 - D * x * x * y * y) % R == 0


def add(p: Point, q: Point) -> Point:
    (x1, y1), (x2, y2) = p, q
    t = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + t, -1, R)
    y = (y1 * y2 - A * x1 * x2) * pow(1 - t, -1, R)
    return x % R, y % R


def multiply(point: Point, scalar: int) -> Point:
    result = IDENTITY
    for bit in f"{scalar:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def square_root(n: int) -> int | None:
    """Tonelli and Shanks; r - 1 = 2^28 q."""
    if n == 0:
        return 0
    if pow(n, (R - 1) // 2, R) != 1:
        return None
    q = (R - 1) >> 28
    c, t, root, m = pow(5, q, R), pow(n, q, R), pow(n, (q + 1) // 2, R), 28
    while t != 1:
        i, power = 0, t
        while power != 1:
            i, power = i + 1, power * power % R
        b = pow(c, 1 << (m - i - 1), R)
        root, c, m = root * b % R, b * b % R, i
        t = t * c % R
    return root


def curve_points() -> Iterator[Point]:
    """Points with y = 2, 3, ...; they are in every coset of the subgroup."""
    for y in range(2, R):
        x = square_root((1 - y * y) * pow(A - D * y * y, -1, R) % R)
        if x is not None:
            yield x, y


def torsion_points() -> list[Point]:
    """The eight points whose order divides 8: order times points of the curve, until one has order 8."""
    for point in curve_points():
        torsion = multiply(point, ORDER)
        if multiply(torsion, 4) != IDENTITY:
            return [multiply(torsion, i) for i in range(8)]
    raise AssertionError("the curve has a point of order 8")
