"""Turns the text of an analysis into passages and one vector for each."""
