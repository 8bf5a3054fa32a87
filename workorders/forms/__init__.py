"""What people fill in about orders, their moves, time and requests."""
