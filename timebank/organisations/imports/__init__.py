"""Files of companies, staff and initiatives: their columns, verdicts, application."""
