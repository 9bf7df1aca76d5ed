"""Files of coaching requests: columns, verdicts, application."""
