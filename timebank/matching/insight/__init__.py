"""What a run tells besides its proposals: why somebody has no match, what is scarce, and what fairness costs."""
