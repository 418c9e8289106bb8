"""The cashier's memory: every discount that applies to a basket, the smallest named first."""

__version__ = "0.1.0"
