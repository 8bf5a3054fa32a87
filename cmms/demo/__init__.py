"""The demo plant: two beverage plants with two years of believable history, made by arithmetic and chance.

The same moment gives the same plant: every stream of chance is seeded by its name, and dates count back from
the moment of loading, so that the plant is always alive today. It is never mixed with real data.
"""
