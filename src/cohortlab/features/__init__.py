"""Turn validated logs into one row of features for each session or customer, and into baskets."""
