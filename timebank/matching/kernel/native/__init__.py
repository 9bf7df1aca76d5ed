"""The engine `native`: compiled code of our own for what is too large for scipy's solvers.

Importing this package compiles its code, or loads it from the cache on disk. That takes from half a second to
half a minute, so it is imported only where it is about to be used.
"""
