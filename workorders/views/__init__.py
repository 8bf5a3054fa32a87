"""Pages of work orders, of the people who do the work, and of requests."""
