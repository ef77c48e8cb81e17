"""Drawing: one module per step, each function taking frames and returning a figure."""
