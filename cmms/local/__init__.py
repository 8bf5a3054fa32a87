"""Tandem on one machine: embedded servers, and the supervisor that `bin/run` hands over to."""
