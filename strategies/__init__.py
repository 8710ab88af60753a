"""What decides orders by itself. Empty until the first strategy feature; holds its place in the
import order.
"""
