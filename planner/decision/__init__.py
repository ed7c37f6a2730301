"""The composed plan, its verdict and its uncertainty."""
