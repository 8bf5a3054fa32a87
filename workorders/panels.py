"""The tabs of this app; found by itself at start."""

from workorders import plan_panels

__all__ = ["plan_panels"]
