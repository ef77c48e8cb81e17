"""From a log of behaviour to groups of people, groups of items, and how they relate."""

__version__ = "0.1.0"
