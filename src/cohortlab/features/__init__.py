"""Turn validated logs into a row of features for each session, customer or person, and baskets."""
