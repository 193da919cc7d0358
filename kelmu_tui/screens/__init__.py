"""Screens: they compose, route keys and render; what may be done and what it does is the services' business."""
