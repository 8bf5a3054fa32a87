"""From records to facts: every sum of a figure is read here. Explanations and reports list records by themselves.

`statement` is the SQL, `question` asks it, `store` writes facts of past days, `changes` finds out what has to be
computed again, `live` computes what is not stored, `zones` tells which is which, `read` adds up both for many assets
and periods. `plans` knows who follows which calendar, `members` who belongs to whom.
"""
