"""Files of pledges that were collected on paper: columns, verdicts, application."""
