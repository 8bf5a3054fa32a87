"""From records to facts: the only queries of the key figures into other apps.

`statement` is the SQL, `question` asks it, `store` writes facts of past days, `changes` finds out what has to be
computed again, `live` computes what is not stored (the running day, cut days, changed days), `plans` knows who
follows which calendar.
"""
