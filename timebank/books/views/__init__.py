"""Pages of accounts and periods."""

from timebank.books.views import bookings, periods, statements
from timebank.books.views.blueprint import bp

__all__ = ["bookings", "bp", "periods", "statements"]
