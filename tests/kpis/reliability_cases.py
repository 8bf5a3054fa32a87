"""Reliability cases with their answers: published ones, and ones worked out by hand or by another program."""

from kpis.lifetimes import Life
from kpis.reliability import History, Problem

# NIST/SEMATECH handbook 8.4.5.2: a system under improvement, observed for 1500 hours.
NIST = History((5, 40, 43, 175, 389, 712, 747, 795, 1299, 1478), 1500)

# ReliaSoft's reliability growth example; the test ended with the last failure.
RELIAWIKI = History(
    (
        2.7, 10.3, 12.5, 30.6, 57, 61.3, 80, 109.5, 125, 128.6, 143.8, 167.9, 229.2, 296.7, 320.6, 328.2, 366.2,
        396.7, 421.1, 438.2, 501.2, 620,
    ),
    620,
    ended_by_failure=True,
)  # fmt: skip

# Five failed and three suspended lives, hours.
LIVES = [
    *(Life(age, True) for age in (410, 620, 790, 905, 1130)),
    *(Life(age, False) for age in (300, 700, 1200)),
]

PROBLEMS = [
    Problem("hydraulic", 24, 18),
    Problem("electric", 6, 40),
    Problem("belt", 40, 10),
    Problem("bearing", 2, 30),
    Problem("sensor", 12, 3),
]
