"""Bias: whether people of every slice are answered equally well and safely."""
