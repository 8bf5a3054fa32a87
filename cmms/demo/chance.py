"""Chance that repeats itself: a stream per name, so that a change in one place does not move all others."""

import math
from random import Random


def stream(*names: object) -> Random:
    return Random("/".join(map(str, ("brightwater", *names))))


def weibull(chance: Random, scale: float, shape: float) -> float:
    """Time to failure: shape > 1 wears out, 1 is pure chance."""
    return chance.weibullvariate(scale, shape)


def around(chance: Random, median: float, spread: float) -> float:
    """A positive, skewed amount such as a repair time: half below the median, some much longer."""
    return median * math.exp(chance.gauss(0, spread))
