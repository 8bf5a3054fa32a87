"""The tabs of this app; found by itself at start."""

from workorders import order_panels, plan_panels

__all__ = ["order_panels", "plan_panels"]
