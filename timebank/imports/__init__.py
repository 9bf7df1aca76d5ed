"""One engine for the files that people send: decode, map, judge, apply.

The engine is pure up to the verdicts: it knows tables, columns and rows, and nothing of the database. Each feature
declares its columns and compares rows with what it holds (see `engine.Kind`).
"""
