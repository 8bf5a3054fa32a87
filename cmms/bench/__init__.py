"""Measures Tandem against hand-written references, both in the same run: `bin/bench`.

Speed depends on the machine, so nothing here is a test: each row of the table is a product, its
reference, their ratio and the bar that the ratio must hold.
"""
