"""Pages of operating calendars and counts."""
