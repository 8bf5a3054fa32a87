"""Bringing in other systems' tables: files, column mapping, dry run, line-numbered reasons, undo.

The mechanism knows no maintenance word. An app declares what can be imported in its `importers.py`
(`core.imports.kinds.register`); pages, `manage.py import` and the background task do the rest.
"""
