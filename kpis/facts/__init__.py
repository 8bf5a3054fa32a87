"""From records to facts: the only queries of the key figures into other apps.

`statement` is the SQL, `question` asks it, `store` writes facts of past days, `changes` finds out what has to be
computed again, `live` computes what is not stored, `zones` tells which is which, `read` adds up both for many assets
and periods. `plans` knows who follows which calendar, `members` who belongs to whom.
"""
