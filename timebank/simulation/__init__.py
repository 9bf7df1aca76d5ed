"""What would happen: months of pledges, requests, answers and sessions, replayed against the real kernel.

It knows the kernel and nothing else of the platform: no database, no web, no clock but its own.
"""
