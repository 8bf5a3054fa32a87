"""The tabs of this app and its marks in the asset tree; found by itself at start."""

from workorders import asset_marks, order_panels, plan_panels

__all__ = ["asset_marks", "order_panels", "plan_panels"]
