"""How good a success rate is at least, given how few tries it rests on."""

from __future__ import annotations

from math import sqrt
from typing import Final

Z_95: Final = (
    1.959963984540054  # of the normal distribution: 95 % lie within this many deviations of its mean
)


def wilson_lower_bound(successes: int, tries: int) -> float | None:
    """The lower end of Wilson's 95 % interval of a success rate, 0 to 1; None without a try.

    1 of 1 gives 0.21 and 90 of 100 gives 0.83: many tries that mostly helped come before one that did.
    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference (1927).
    """
    if tries == 0:
        return None
    rate, z_squared = successes / tries, Z_95 * Z_95
    centre = rate + z_squared / (2 * tries)
    margin = Z_95 * sqrt((rate * (1 - rate) + z_squared / (4 * tries)) / tries)
    bound = (centre - margin) / (1 + z_squared / tries)
    return min(max(bound, 0.0), rate)  # rounding must not lead beyond
