"""Drawings of what leads to what: DOT text always, SVG by graphviz or, without it, matplotlib."""

from cohortlab.graphs.dot import GRAPHVIZ_HINT, Picture, to_dot, to_svg
from cohortlab.graphs.model import Edge, Node, TwoSidedGraph, plain_name
from cohortlab.graphs.relations import member_names, relation_graph
from cohortlab.graphs.rules import rule_graph

__all__ = [
    "GRAPHVIZ_HINT",
    "Edge",
    "Node",
    "Picture",
    "TwoSidedGraph",
    "member_names",
    "plain_name",
    "relation_graph",
    "rule_graph",
    "to_dot",
    "to_svg",
]
