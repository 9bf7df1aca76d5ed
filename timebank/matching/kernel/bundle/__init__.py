"""Bundle mode: a pledge may take several seats while their hours fit, at most one of each request."""
